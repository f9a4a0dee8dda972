"""The surface while it is fitted: shown where the image stands, drawn over the radiograph, gone without a trace. And a
fit that goes on from an earlier one."""

from __future__ import annotations

import numpy as np
import pytest

from host.application import wait_until
from mri2mesh.samples import PELVIS_FRONT
from panel.watched import LONG, node_count, run_and_wait, wait_for_end


@pytest.fixture
def front(panel, load_volume):
    """One view of the simulated pelvis, recognised."""
    node = load_volume(PELVIS_FRONT, "front")
    panel.ui.inputSelector.setCurrentNode(node)
    table = panel.panel.method.inputs.views.table
    wait_until(lambda: "scale known" in table.item(0, 1).text(), 120)
    return node


def live_models(slicer) -> list:
    from mri2mesh_slicer.live_preview import LIVE

    return [node for node in slicer.util.getNodesByClass("vtkMRMLModelNode") if node.GetAttribute(LIVE)]


def live_names(slicer) -> set[str]:
    return {node.GetName() for node in live_models(slicer)}


def centre_of(slicer, model) -> np.ndarray:
    return slicer.util.arrayFromModelPoints(model).mean(0)


def run_until_shown(panel, slicer) -> None:
    panel.ui.runButton.click()
    wait_until(lambda: live_models(slicer) or not panel.panel.running.busy, LONG)
    assert live_models(slicer), panel.ui.messageLabel.text


def test_the_surface_is_shown_while_it_is_fitted_and_leaves_no_trace_when_cancelled(
    panel, slicer, front, tmp_path
):
    move = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "table")
    front.SetAndObserveTransformNodeID(move.GetID())
    before, steps = node_count(slicer), slicer.mrmlScene.GetNumberOfUndoLevels()
    assert not panel.ui.liveCheck.isHidden() and panel.ui.liveCheck.checked

    run_until_shown(panel, slicer)
    assert live_names(slicer) == {f"{name} (being fitted)" for name in ("hip_left", "hip_right", "sacrum")}
    node = live_models(slicer)[0]
    assert node.GetTransformNodeID() == move.GetID()
    assert node.GetHideFromEditors() and node.GetDisplayNode().GetVisibility()
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    assert not any(hierarchy.GetItemByDataNode(one) for one in live_models(slicer))
    assert slicer.mrmlScene.GetNumberOfUndoLevels() == steps
    first = slicer.util.arrayFromModelPoints(node).copy()
    assert np.isfinite(first).all() and np.ptp(first, axis=0).min() > 50
    wait_until(lambda: not np.array_equal(slicer.util.arrayFromModelPoints(node), first), LONG)

    slicer.mrmlScene.SetURL(str(tmp_path / "scene.mrml"))
    slicer.mrmlScene.Commit()
    assert "being fitted" not in (tmp_path / "scene.mrml").read_text()

    panel.ui.cancelButton.click()
    assert not live_models(slicer)  # at once
    wait_for_end(panel)
    assert node_count(slicer) == before and slicer.mrmlScene.GetNumberOfUndoLevels() == steps


def test_going_on_from_a_fit_its_outline_is_drawn_over_the_radiograph_until_the_result_takes_its_place(
    panel, slicer, front
):
    ui = panel.ui
    run_and_wait(panel)
    assert panel.panel.results.run is not None, ui.messageLabel.text
    assert not live_models(slicer)
    ui.outlinesCheck.click()
    start = panel.panel.method.inputs.start
    assert not start.widget.isHidden()
    start.selector.setCurrentIndex(1)
    start.selector.activated.emit(1)
    ended_at = {model.GetName(): centre_of(slicer, model) for model in panel.panel.results.run.models}

    def outlines() -> list:
        models = slicer.util.getNodesByClass("vtkMRMLModelNode")
        return [one for one in models if "being fitted" in one.GetName() and "outline" in one.GetName()]

    run_until_shown(panel, slicer)
    wait_until(lambda: len(outlines()) == 3, LONG)
    assert all(slicer.util.arrayFromModelPoints(one).size for one in outlines())
    for node in live_models(slicer):
        earlier = ended_at[node.GetName().removesuffix(" (being fitted)")]
        assert np.linalg.norm(centre_of(slicer, node) - earlier) < 5
    seen = []

    def ended() -> bool:
        seen.append((len(live_models(slicer)), len(panel.panel.results._runs)))
        return not panel.panel.running.busy

    wait_until(ended, LONG)
    assert (3, 1) in seen and not live_models(slicer) and not outlines()
    assert not [shown for shown, runs in seen if shown and runs == 2]
    wait_until(
        lambda: ui.outlinesCheck.checked and panel.panel.overlay.outlined, 10
    )  # as before, of the new run


def test_closing_the_scene_and_deleting_the_image_end_it(panel, slicer, front, load_volume):
    run_until_shown(panel, slicer)
    slicer.mrmlScene.RemoveNode(front)
    assert not live_models(slicer)
    wait_for_end(panel)

    panel.ui.inputSelector.setCurrentNode(load_volume(PELVIS_FRONT, "front"))
    wait_until(lambda: not panel.panel.running.client.busy, 60)
    run_until_shown(panel, slicer)
    slicer.mrmlScene.Clear()
    wait_for_end(panel)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 0


def test_without_the_tick_nothing_is_in_the_scene_before_the_result(panel, slicer, front):
    panel.ui.liveCheck.click()
    before, seen = node_count(slicer), set()
    panel.ui.runButton.click()

    def has_fitted() -> bool:
        if panel.ui.stageLabel.text.startswith("fit"):
            seen.add(node_count(slicer))
        return panel.ui.progressBar.value > 500

    wait_until(has_fitted, LONG)
    panel.ui.cancelButton.click()
    wait_for_end(panel)
    assert seen == {before}
    assert panel.panel.parameters().live is False


def test_a_method_that_has_nothing_to_show_offers_no_tick(panel, load_volume):
    panel.ui.inputSelector.setCurrentNode(load_volume())
    assert panel.ui.liveCheck.isHidden()
