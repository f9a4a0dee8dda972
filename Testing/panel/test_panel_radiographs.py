"""Two radiographs through the panel: recognised by their tags, fitted by the real worker, laid over in 3D."""

from __future__ import annotations

import numpy as np
import pytest

from host.application import wait_until
from mri2mesh.samples import PELVIS_FRONT, PELVIS_OBLIQUE
from panel.watched import is_alive, run_and_wait


@pytest.fixture
def two_views(panel, load_volume):
    """The simulated pelvis in both views, chosen and recognised."""
    front, oblique = load_volume(PELVIS_FRONT, "front"), load_volume(PELVIS_OBLIQUE, "oblique")
    panel.ui.inputSelector.setCurrentNode(front)
    inputs = panel.panel.method.inputs
    inputs.views.further.setCurrentNode(oblique)
    inputs.views.add_button.click()
    wait_until(lambda: "scale known" in _known(inputs, 0) and "scale known" in _known(inputs, 1), 120)
    return front, oblique


def _known(inputs, row: int) -> str:
    return inputs.views.table.item(row, 1).text()


def test_views_are_recognised_fitted_overlaid_and_gone_again(panel, slicer, two_views, tmp_path):
    ui, inputs = panel.ui, panel.panel.method.inputs
    assert "PA radiograph" in ui.recognisedLabel.text and "from tags" in ui.recognisedLabel.text
    assert [_known(inputs, row) for row in range(2)] == ["PA, scale known", "oblique, scale known"]
    inputs.views.table.selectRow(1)
    assert inputs.geometry.fields["primary_angle_deg"].value == 35.0

    run_and_wait(panel)
    run = panel.panel.results.run
    assert run is not None, ui.messageLabel.text
    assert {row.name for row in run.rows()} >= {"hip_left", "hip_right"}
    assert ui.levelShift.isHidden()

    before = slicer.mrmlScene.GetNumberOfNodes()
    ui.outlinesCheck.click()
    assert ui.radiographsCheck.checked
    outlines = [node for overlay in panel.panel.overlay._outlines for node in overlay.outline_nodes.values()]
    assert len(outlines) == 2 * len(run.models)
    assert all(slicer.util.arrayFromModelPoints(node).size for node in outlines)
    ui.radiographsCheck.click()
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_views_under_different_transforms_are_refused_before_anything_runs(panel, slicer, add_image):
    front, oblique = (add_image(np.zeros((1, 64, 48), np.uint16), name) for name in ("front", "oblique"))
    panel.ui.inputSelector.setCurrentNode(front)
    inputs = panel.panel.method.inputs
    inputs.views.further.setCurrentNode(oblique)
    inputs.views.add_button.click()
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "table")
    oblique.SetAndObserveTransformNodeID(table.GetID())
    wait_until(lambda: panel.ui.runButton.enabled, 120)
    panel.ui.runButton.click()
    assert "different transforms" in panel.ui.messageLabel.text and not panel.panel.running.busy


def test_a_known_length_calibrates_a_radiograph(panel, slicer, load_volume):
    node = load_volume(PELVIS_FRONT, "front")
    panel.ui.inputSelector.setCurrentNode(node)
    inputs = panel.panel.method.inputs
    wait_until(lambda: "scale known" in _known(inputs, 0), 120)
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "ruler")
    matrix = slicer.util.arrayFromVTKMatrix(_ijk_to_ras(slicer, node))
    for column in (100, 200):
        line.AddControlPoint(*(matrix @ [column, 50, 0, 1])[:3])
    box = inputs.calibration
    box.kind.setCurrentIndex(box.kind.findData("length"))
    box.size.value = 50.0
    box.line.setCurrentNode(line)
    wait_until(lambda: not panel.panel.running.client.busy, 60)
    box.button.click()
    wait_until(lambda: "length of 50 mm" in box.message.text, 120)
    assert box.message.text.startswith("Calibrated: 0.7051 mm per pixel at the detector")
    assert "The marker makes pixels 0.705 mm and the geometry said 1.200 mm" in box.message.text
    assert panel.ui.recognisedLabel.text.endswith("Given or calibrated since: the pixel spacing.")
    from mri2mesh_slicer.radiographs.geometry_of_nodes import geometry_of

    geometry = geometry_of(node)
    assert geometry.origins["pixel_spacing_mm"] == "calibrated"
    # Half a millimetre per pixel at the isocentre, larger at the detector by the magnification.
    np.testing.assert_allclose(geometry.pixel_spacing_mm.value, 0.5 * 1100 / 780, rtol=1e-3)


def _ijk_to_ras(slicer, node):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def test_a_calibration_without_a_line_says_what_to_draw(panel, load_volume):
    panel.ui.inputSelector.setCurrentNode(load_volume(PELVIS_FRONT, "front"))
    box = panel.panel.method.inputs.calibration
    box.button.click()
    assert "Draw a line" in box.message.text
    panel.ui.inputSelector.setCurrentNode(load_volume(PELVIS_OBLIQUE, "oblique"))
    assert box.message.text == ""  # it was about the other radiograph


def test_each_marker_begins_with_a_usual_size_and_asks_for_a_line_where_it_needs_one(panel, add_image):
    panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
    box = panel.panel.method.inputs.calibration
    found = {}
    for number in range(box.kind.count):
        box.kind.setCurrentIndex(number)
        box.kind.activated.emit(number)
        found[box.kind.currentData] = (box.size.value, box.line.enabled)
    assert found == {
        "sphere": (25.0, True),
        "wire": (2.5, True),
        "length": (100.0, True),
        "intensifier": (229.0, False),
    }


def test_leaving_while_a_radiograph_is_described_leaves_no_process_and_it_is_described_on_return(
    panel, slicer, load_volume
):
    client = panel.panel.running.client
    panel.ui.inputSelector.setCurrentNode(load_volume(PELVIS_FRONT, "front"))
    panel.exit()  # while its file is looked for
    wait_until(lambda: not panel.panel.background._waiting, 20)
    assert not client.busy and client.pid is None

    panel.enter()
    wait_until(lambda: client.busy and client.pid, 60)
    pid = client.pid
    panel.exit()  # while the worker reads it
    wait_until(lambda: not is_alive(pid), 10)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "something else")
    slicer.mrmlScene.RemoveNode(slicer.mrmlScene.GetFirstNodeByName("something else"))
    for _ in range(20):
        wait_until(lambda: True)
    assert not client.busy and client.pid is None

    panel.enter()
    inputs = panel.panel.method.inputs
    wait_until(lambda: "scale known" in _known(inputs, 0), 120)
