"""The surface while it is fitted: shown where the image stands, drawn over the radiograph, gone without a trace. And a
fit that goes on from an earlier one."""

from __future__ import annotations

import numpy as np
import pytest
import vtk

from host.application import wait_until
from host.views import SliceView
from mri2mesh.samples import PELVIS_FRONT, PELVIS_OBLIQUE
from panel.watched import LONG, node_count, run_and_wait, wait_for_end


@pytest.fixture
def front(panel, load_volume):
    """One view of the simulated pelvis, recognised."""
    node = load_volume(PELVIS_FRONT, "front")
    panel.ui.inputSelector.setCurrentNode(node)
    table = panel.panel.method.inputs.views.table
    wait_until(lambda: "scale known" in table.item(0, 1).text(), 120)
    return node


@pytest.fixture
def oblique(panel, load_volume, front):
    """The second view, added and recognised."""
    node = load_volume(PELVIS_OBLIQUE, "oblique")
    views = panel.panel.method.inputs.views
    views.further.setCurrentNode(node)
    views.add_button.click()
    wait_until(lambda: "scale known" in views.table.item(1, 1).text(), 120)
    return node


def slice_view(slicer, name: str, shows) -> SliceView:
    """A slice view in which the user looks at an image."""
    view = SliceView(slicer.application, name)
    view.logic.GetSliceCompositeNode().SetBackgroundVolumeID(shows.GetID())
    view.node.SetSliceOffset(17.0)
    view.node.SetFieldOfView(123.0, 123.0, 1.0)
    return view


def shown_in(view: SliceView) -> tuple:
    """Which image, in which plane, how large."""
    return (
        view.logic.GetSliceCompositeNode().GetBackgroundVolumeID(),
        numbers(view.node.GetSliceToRAS()),
        view.node.GetFieldOfView(),
    )


def numbers(matrix) -> list[float]:
    return [round(matrix.GetElement(row, column), 9) for row in range(4) for column in range(4)]


def all_of(slicer, node) -> tuple:
    """What the scene holds, and what an image says of itself."""
    scene, ijk_to_ras = slicer.mrmlScene, vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(ijk_to_ras)
    attributes = {name: node.GetAttribute(name) for name in node.GetAttributeNames()}
    nodes = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
    items = scene.GetSubjectHierarchyNode().GetNumberOfItems()
    return nodes, items, scene.GetNumberOfUndoLevels(), numbers(ijk_to_ras), attributes


def outlines_over(slicer, image) -> dict:
    """Outline node by its structure's name, of the surfaces that are being fitted."""
    head, tail = f"{image.GetName()}: outline of ", " (being fitted)"
    models = slicer.util.getNodesByClass("vtkMRMLModelNode")
    named = {one.GetName(): one for one in models if one.GetName().startswith(head)}
    return {
        name.removeprefix(head).removesuffix(tail): one for name, one in named.items() if name.endswith(tail)
    }


def views_now(panel) -> dict:
    """Image to how the fit sees it."""
    return panel.panel.running._live._films._views


def assert_outlined(slicer, panel, image) -> None:
    """Each outline lies around its surface's shadow, by the geometry of the image and what the fit corrected of it."""
    from mri2mesh_slicer.radiographs.geometry_of_nodes import geometry_of

    # Surfaces are drawn one per turn: between two of them some are older than what the fit corrected.
    wait_until(lambda: not panel.panel.running._live._is_busy, LONG)
    camera = geometry_of(image).camera()
    move = views_now(panel)[image].surface_to_view
    outlines = outlines_over(slicer, image)
    assert len(outlines) == 3
    for model in live_models(slicer):
        vertices = slicer.util.arrayFromModelPoints(model) @ move[:3, :3].T + move[:3, 3]
        line = slicer.util.arrayFromModelPoints(outlines[model.GetName().removesuffix(" (being fitted)")])
        extents = [np.ptp(camera.project(points.astype(float)), axis=0) for points in (vertices, line)]
        np.testing.assert_allclose(*extents, atol=0.1)
        lowest = [camera.project(points.astype(float)).min(0) for points in (vertices, line)]
        np.testing.assert_allclose(*lowest, atol=0.1)


def live_models(slicer) -> list:
    from mri2mesh_slicer.runs.live_preview import LIVE

    return [node for node in slicer.util.getNodesByClass("vtkMRMLModelNode") if node.GetAttribute(LIVE)]


def live_names(slicer) -> set[str]:
    return {node.GetName() for node in live_models(slicer)}


def centre_of(slicer, model) -> np.ndarray:
    return slicer.util.arrayFromModelPoints(model).mean(0)


def run_until_shown(panel, slicer) -> None:
    panel.ui.runButton.click()
    wait_until(lambda: len(live_models(slicer)) == 3 or not panel.panel.running.busy, LONG)
    assert live_models(slicer), panel.ui.messageLabel.text


def test_the_surface_is_shown_while_it_is_fitted_and_leaves_no_trace_when_cancelled(
    panel, slicer, front, tmp_path
):
    move = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "table")
    move.SetMatrixTransformToParent(turned_by_a_quarter())
    front.SetAndObserveTransformNodeID(move.GetID())
    red = slice_view(slicer, "Red", shows=front)
    before, looked_at, steps = all_of(slicer, front), shown_in(red), slicer.mrmlScene.GetNumberOfUndoLevels()
    assert not panel.ui.liveCheck.isHidden() and panel.ui.liveCheck.checked

    run_until_shown(panel, slicer)
    assert live_names(slicer) == {f"{name} (being fitted)" for name in ("Hip left", "Hip right", "Sacrum")}
    node = live_models(slicer)[0]
    assert node.GetTransformNodeID() == move.GetID()
    assert node.GetHideFromEditors() and node.GetDisplayNode().GetVisibility()
    wait_until(lambda: len(outlines_over(slicer, front)) == 3, LONG)
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    assert hierarchy.GetNumberOfItems() == before[1]  # nothing of it is listed
    assert slicer.mrmlScene.GetNumberOfUndoLevels() == steps
    first = slicer.util.arrayFromModelPoints(node).copy()
    assert np.isfinite(first).all() and np.ptp(first, axis=0).min() > 50
    wait_until(lambda: not np.array_equal(slicer.util.arrayFromModelPoints(node), first), LONG)
    assert_outlined(slicer, panel, front)
    assert shown_in(red) != looked_at and yellow_pixels(red) > 500

    slicer.mrmlScene.SetURL(str(tmp_path / "scene.mrml"))
    slicer.mrmlScene.Commit()
    assert "being fitted" not in (tmp_path / "scene.mrml").read_text()

    panel.ui.cancelButton.click()
    assert not live_models(slicer)  # at once
    wait_for_end(panel)
    assert all_of(slicer, front) == before and shown_in(red) == looked_at


def turned_by_a_quarter():
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy([0, -1, 0, 80, 1, 0, 0, -50, 0, 0, 1, 30, 0, 0, 0, 1])
    return matrix


def yellow_pixels(view: SliceView) -> int:
    picture = view.picture().astype(int)
    return int((picture[..., :2].min(axis=2) - picture[..., 2] > 60).sum())


def test_each_radiograph_has_its_outline_in_a_slice_view_of_its_own_until_the_tick_is_taken_away(
    panel, slicer, front, oblique
):
    red, yellow = (slice_view(slicer, name, shows=front) for name in ("Red", "Yellow"))
    before, looked_at = all_of(slicer, oblique), [shown_in(red), shown_in(yellow)]
    run_until_shown(panel, slicer)
    wait_until(lambda: len(outlines_over(slicer, oblique)) == 3, LONG)
    assert (shown_in(red)[0], shown_in(yellow)[0]) == (front.GetID(), oblique.GetID())
    for image in (front, oblique):
        assert_outlined(slicer, panel, image)

    panel.ui.liveCheck.click()
    assert panel.panel.running.busy and [shown_in(red), shown_in(yellow)] == looked_at
    assert all_of(slicer, oblique) == before
    panel.ui.liveCheck.click()
    wait_until(lambda: len(outlines_over(slicer, oblique)) == 3, LONG)
    # The user takes the view back for something else.
    yellow.logic.GetSliceCompositeNode().SetBackgroundVolumeID(front.GetID())
    panel.ui.cancelButton.click()
    assert [shown_in(red), shown_in(yellow)] == looked_at
    wait_for_end(panel)
    assert all_of(slicer, oblique) == before


def test_the_overlay_section_and_the_preview_hand_the_radiographs_to_each_other(panel, slicer, front):
    ui = panel.ui
    red = slice_view(slicer, "Red", shows=front)
    looked_at, bare = shown_in(red), all_of(slicer, front)[3:]
    run_and_wait(panel)
    assert panel.panel.results.run is not None, ui.messageLabel.text
    assert not live_models(slicer) and shown_in(red) == looked_at
    start = panel.panel.method.inputs.sections["start"].box
    assert not start.widget.isHidden()
    start.selector.setCurrentIndex(1)
    start.selector.activated.emit(1)
    ended_at = {model.GetName(): centre_of(slicer, model) for model in panel.panel.results.run.models}

    run_until_shown(panel, slicer)  # goes on from there, by itself over the film
    for node in live_models(slicer):
        earlier = ended_at[node.GetName().removesuffix(" (being fitted)")]
        assert np.linalg.norm(centre_of(slicer, node) - earlier) < 5
    wait_until(lambda: len(outlines_over(slicer, front)) == 3, LONG)
    ui.outlinesCheck.click()  # the earlier run's, while the fit goes on
    wait_until(lambda: len(outlines_over(slicer, front)) == 3, LONG)
    (placed,) = panel.panel.overlay.placed
    assert placed.visible and not placed.removed and shown_in(red) != looked_at
    assert_outlined(slicer, panel, front)
    ui.radiographsCheck.click()
    assert shown_in(red) == looked_at and all_of(slicer, front)[3:] == bare
    wait_until(lambda: len(outlines_over(slicer, front)) == 3, LONG)
    assert shown_in(red) != looked_at
    ui.outlinesCheck.click()
    seen = []

    def ended() -> bool:
        seen.append((len(live_models(slicer)), len(panel.panel.results._runs)))
        return not panel.panel.running.busy

    wait_until(ended, LONG)
    assert (3, 1) in seen and not live_models(slicer) and not outlines_over(slicer, front)
    assert not [shown for shown, runs in seen if shown and runs == 2]
    wait_until(lambda: ui.outlinesCheck.checked and panel.panel.overlay.placed, 10)  # of the new run
    ui.radiographsCheck.click()
    assert shown_in(red) == looked_at and all_of(slicer, front)[3:] == bare


def test_closing_the_scene_and_deleting_the_image_end_it(panel, slicer, front, load_volume):
    other = load_volume(PELVIS_OBLIQUE, "other")
    red = slice_view(slicer, "Red", shows=other)
    looked_at = shown_in(red)
    run_until_shown(panel, slicer)
    wait_until(lambda: len(outlines_over(slicer, front)) == 3, LONG)
    slicer.mrmlScene.RemoveNode(front)
    assert not live_models(slicer) and shown_in(red) == looked_at
    wait_for_end(panel)

    panel.ui.inputSelector.setCurrentNode(load_volume(PELVIS_FRONT, "front"))
    wait_until(lambda: not panel.panel.running.client.busy, 60)
    run_until_shown(panel, slicer)
    wait_until(lambda: shown_in(red) != looked_at, LONG)
    slicer.mrmlScene.Clear()
    wait_for_end(panel)
    models = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLModelNode")}
    assert models <= {"Red Volume Slice"}  # the view's own


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
