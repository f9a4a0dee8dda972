"""The module's own buttons, the real worker and weights: run, cancel, run again, judge, shift, export, save, reload."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import SimpleITK as sitk

from host.application import wait_until
from mri2mesh.export.surfaces import read_surface
from mri2mesh_slicer.runs.level_naming import IMAGE_LEVEL
from panel.clicks import click_at
from panel.watched import LONG, is_alive, node_count, run_and_wait, run_until, wait_for_end

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


TRUE_NAMES = ["T12-L1", "L1", "L1-L2", "L2"]
"""Of what is in the part of the sample: its publishers label the disc T9-T10 above it, and the conus in L1."""
ON_L2 = (17.0, -40.9, -460.2)


def click_on_level(panel, slicer, level: str, point: tuple[float, float, float]) -> None:
    """The button, and a click in a slice view as Slicer's markups widget passes it on."""
    ui = panel.ui
    ui.levelSelector.setCurrentText(level)
    ui.levelClickButton.click()
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    place = slicer.app.applicationLogic().GetSelectionNode().GetActivePlaceNodeID()
    markups = slicer.mrmlScene.GetNodeByID(place)
    click_at(slicer, markups, *point)
    wait_until(lambda: slicer.mrmlScene.GetNodeByID(place) is None, 10)


def names(panel) -> list[str]:
    return [panel.ui.resultsTable.item(row, 1).text() for row in range(panel.ui.resultsTable.rowCount)]


def test_a_person_runs_cancels_runs_again_judges_shifts_exports_and_saves(
    panel, slicer, load_volume, two_vertebrae, tmp_path, opened
):
    ui = panel.ui
    volume = load_volume(two_vertebrae, "LumbarPart")
    ui.inputSelector.setCurrentNode(volume)
    empty = node_count(slicer)

    # Cancel in mid-run: nothing is left, and it is said.
    pid = run_until(panel, "deform the templates")
    assert ui.cancelButton.enabled and not ui.runButton.enabled
    ui.cancelButton.click()
    wait_for_end(panel)
    assert ui.messageLabel.text == "Cancelled. The scene is as it was."
    assert node_count(slicer) == empty and panel.panel.results.run is None

    # Run again, in the same worker where it heard the cancel.
    shown = run_and_wait(panel)
    values = [value for _, value in shown[:-1]]
    assert values == sorted(values) and values[-1] == 1000
    assert any("left" in stage for stage, _ in shown)
    guessed = names(panel)
    assert len(guessed) == 4 and all(name.endswith("?") for name in guessed)
    assert "the names of the levels are a guess" in ui.verdictLabel.text
    assert "the sacrum is not in the image" in ui.warningsLabel.text
    assert not ui.resultsSection.isHidden()
    assert ui.runSelector.currentText == "LumbarPart: MRI2Mesh"

    # Judge: how many checks a surface passed, volumes are there, models can be hidden.
    lowest = 3
    assert "cm³" in ui.resultsTable.item(lowest, 2).text()
    assert ui.resultsTable.item(lowest, 3).text() == "8 passed"
    model = panel.panel.results.run.models[lowest]
    import qt

    ui.resultsTable.item(lowest, 0).setCheckState(qt.Qt.Unchecked)
    assert not model.GetDisplayNode().GetVisibility()
    ui.contoursCheck.click()
    assert not any(one.GetDisplayNode().GetVisibility2D() for one in panel.panel.results.run.models)

    # Colours by support, and back.
    ui.coloursSelector.setCurrentIndex(ui.coloursSelector.findData("support"))
    ui.coloursSelector.activated.emit(ui.coloursSelector.currentIndex)
    assert model.GetDisplayNode().GetActiveScalarName() == "support"
    assert model.GetDisplayNode().GetScalarVisibility()

    # Levels up by one and down again: still a guess.
    ui.levelUpButton.click()
    assert names(panel) != guessed and all(name.endswith("?") for name in names(panel))
    ui.levelDownButton.click()
    assert names(panel) == guessed

    # One click names them all.
    click_on_level(panel, slicer, "L2", ON_L2)
    assert names(panel) == TRUE_NAMES
    assert "a guess" not in ui.verdictLabel.text + ui.warningsLabel.text
    assert not any(
        slicer.mrmlScene.GetNthNodeByClass(n, "vtkMRMLMarkupsFiducialNode")
        for n in range(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode"))
    )
    assert "L2 at 17.0, -40.9, -460.2" in panel.panel.method.inputs.sections["level"].known.text

    # Export, as the user's file system sees it.
    ui.exportFolder.setCurrentPath(str(tmp_path / "stl"))
    ui.exportButton.click()
    assert "4 files written" in ui.exportMessage.text and "LPS" in ui.coordinatesLabel.text
    exported = read_surface(tmp_path / "stl" / "L1.stl").vertices
    in_scene = slicer.util.arrayFromModelPoints(panel.panel.results.run.models[1])
    np.testing.assert_allclose(exported.min(0), in_scene.min(0), atol=1e-3)

    # Label maps on the image's own voxels, as the level is called now.
    maps = ui.formatSelector.findData(".nii.gz")
    ui.formatSelector.setCurrentIndex(maps)
    ui.formatSelector.activated.emit(maps)
    assert "24 = L5" in ui.coordinatesLabel.text and ui.exportButton.text == "Export the label maps"
    ui.exportButton.click()
    wait_until(lambda: "3 files written" in ui.exportMessage.text, 60)
    labels = sitk.ReadImage(str(tmp_path / "stl" / "vertebrae.nii.gz"))
    assert labels.GetSize() == sitk.ReadImage(str(two_vertebrae)).GetSize()
    assert set(np.unique(sitk.GetArrayViewFromImage(labels))) == {0, 20, 21}

    # The report as a page, with pictures while they are at hand.
    ui.reportButton.click()
    assert opened[-1].read_text(encoding="utf-8").count("data:image/png") == 3

    # Save, close, reload: the results come back with the scene.
    bundle = tmp_path / "scene.mrb"
    assert slicer.mrmlScene.WriteToMRB(str(bundle))
    slicer.mrmlScene.Clear()
    wait_until(lambda: ui.resultsSection.isHidden(), 5)
    assert ui.messageLabel.text == ""
    assert slicer.mrmlScene.ReadFromMRB(str(bundle))
    wait_until(lambda: not ui.resultsSection.isHidden(), 5)
    assert names(panel) == TRUE_NAMES
    assert ui.inputSelector.currentNode().GetName() == "LumbarPart"

    # Another module: the worker goes.
    pid = panel.panel.running.client.pid or pid
    panel.exit()
    wait_until(lambda: not is_alive(pid), 10)


def test_whatever_ends_a_run_leaves_no_process_and_no_half_result(panel, slicer, load_volume, two_vertebrae):
    ui = panel.ui
    volume = load_volume(two_vertebrae, "LumbarPart")
    ui.inputSelector.setCurrentNode(volume)

    run_until(panel, "find the spine")
    slicer.mrmlScene.RemoveNode(volume)
    wait_for_end(panel)
    assert "removed from the scene" in ui.messageLabel.text
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 0

    ui.inputSelector.setCurrentNode(load_volume(two_vertebrae, "LumbarPart"))
    run_until(panel, "find the spine")
    slicer.mrmlScene.Clear()
    wait_for_end(panel)
    assert "closed" in ui.messageLabel.text
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 0

    # A killed worker is reported, and the next run has another.
    import os
    import signal

    ui.inputSelector.setCurrentNode(load_volume(two_vertebrae, "LumbarPart"))
    killed = run_until(panel, "find the spine")
    os.killpg(killed, signal.SIGKILL)
    wait_for_end(panel)
    assert "memory" in ui.messageLabel.text
    assert ui.runButton.enabled

    # Quitting in mid-run.
    pid = run_until(panel, "find the spine")
    assert pid != killed
    panel.cleanup()
    wait_until(lambda: not is_alive(pid), 10)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 0


def test_an_image_without_a_spine_gets_a_run_that_says_so(panel, slicer, add_image):
    noise = np.random.default_rng(0).integers(0, 300, (24, 40, 40)).astype(np.int16)
    node = add_image(noise, "noise")
    node.SetSpacing(3, 3, 3)
    panel.ui.inputSelector.setCurrentNode(node)
    run_and_wait(panel)
    assert "no surface could be made" in panel.ui.messageLabel.text
    assert panel.ui.verdictLabel.text.startswith("No surface could be made.")
    assert panel.ui.resultsTable.rowCount == 0


def test_an_image_in_colour_is_refused_before_anything_runs(panel, slicer, add_image):
    import vtk

    node = add_image(np.zeros((4, 20, 20), np.uint8), "photo")
    image = vtk.vtkImageData()
    image.SetDimensions(20, 20, 4)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    node.SetAndObserveImageData(image)
    panel.ui.inputSelector.setCurrentNode(node)
    assert "colour image" in panel.ui.recognisedLabel.text
    panel.ui.runButton.click()
    assert not panel.panel.running.busy and "colour image" in panel.ui.messageLabel.text


def test_a_run_goes_on_when_the_module_is_left_comes_whole_and_is_undone_in_one_step(
    panel, slicer, load_volume, two_vertebrae
):
    volume = load_volume(two_vertebrae, "LumbarPart")
    volume.SetAttribute(IMAGE_LEVEL, "L2@17.0,-40.9,-460.2")  # as an earlier run left it
    panel.ui.inputSelector.setCurrentNode(volume)
    pid = run_until(panel, "deform the templates")
    empty = node_count(slicer)
    panel.exit()
    seen = set()

    def ended() -> bool:
        seen.add(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLModelNode"))
        return not panel.panel.running.busy

    wait_until(ended, LONG)
    assert seen == {0, len(TRUE_NAMES) + 1}  # at once, with the lines of the measures
    wait_until(lambda: not is_alive(pid), 10)
    panel.enter()
    assert names(panel) == TRUE_NAMES

    slicer.mrmlScene.Undo()
    wait_until(lambda: panel.ui.resultsSection.isHidden(), 5)
    assert node_count(slicer) == empty and panel.panel.results.run is None
    assert panel.ui.inputSelector.currentNode() is not None and panel.ui.runButton.enabled
