"""Landmarks by name: chosen from what the bone's model knows, placed by a click, taken by the next run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.anatomy.shape_models.file import landmark_names
from panel.clicks import click_at


@pytest.fixture
def box(panel, add_image):
    """The box of the one radiograph that is chosen."""
    panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
    return panel.panel.method.inputs.sections["landmarks"].box


def test_the_names_are_those_of_the_chosen_bone(panel, box):
    def listed():
        return tuple(box.name.itemData(n) for n in range(box.name.count))

    assert listed() == landmark_names("pelvis") and box.name.itemText(0) == "ASIS left"
    anatomy = panel.panel.method.inputs.sections["anatomy"].editor
    anatomy.setCurrentIndex(anatomy.findData("L3"))
    anatomy.activated.emit(anatomy.currentIndex)
    assert listed() == landmark_names("L3")


def test_a_click_places_the_chosen_landmark_and_the_next_one_is_offered(panel, slicer, box, tmp_path):
    inputs, node = panel.panel.method.inputs, panel.panel.parameters().image
    box.name.setCurrentIndex(box.name.findData("pubic_symphysis_superior"))
    box.button.click()
    markups = inputs.views.landmarks_of(node)
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlaceNodeID() == markups.GetID()
    assert box.message.text == "Click on: Pubic symphysis superior."
    box.button.click()  # pressed again before any click: nothing is placed yet
    assert box.name.currentData == "pubic_symphysis_superior"
    assert not any("(placed)" in box.name.itemText(n) for n in range(box.name.count))

    click_at(slicer, markups, 10, 20)
    assert box.name.currentData == "sacral_promontory" and box.message.text == "1 placed."
    assert box.name.itemText(box.name.findData("pubic_symphysis_superior")).endswith("(placed)")
    box.button.click()  # given up, and another chosen
    box.name.setCurrentIndex(box.name.findData("asis_left"))
    box.button.click()
    click_at(slicer, markups, 30, 40)
    box.name.setCurrentIndex(box.name.findData("asis_left"))
    box.button.click()  # placed again, elsewhere
    click_at(slicer, markups, 31, 41)

    request = inputs.prepare()(tmp_path)
    written = json.loads(Path(request["options"]["landmarks"][0]).read_text())
    points = {point["label"]: point["position"] for point in written["markups"][0]["controlPoints"]}
    assert set(points) == {"pubic_symphysis_superior", "asis_left"}
    assert inputs.views.table.cellWidget(0, 2).currentNode() is markups


def test_a_landmark_that_was_given_up_does_not_keep_from_running(panel, box, tmp_path):
    box.button.click()
    assert "landmarks" not in panel.panel.method.inputs.prepare()(tmp_path)["options"]


def test_points_of_another_bone_are_named(panel, slicer, box):
    box.button.click()
    click_at(slicer, panel.panel.method.inputs.views.landmarks_of(panel.panel.parameters().image), 1, 2)
    anatomy = panel.panel.method.inputs.sections["anatomy"].editor
    anatomy.setCurrentIndex(anatomy.findData("femur_left"))
    anatomy.activated.emit(anatomy.currentIndex)
    assert "Not of this bone: asis_left." in box.message.text


def test_vertebrae_are_picked_by_their_levels(panel, slicer, box, tmp_path):
    selector = panel.ui.methodSelector
    selector.setCurrentIndex(selector.findData("revert"))
    selector.activated.emit(selector.currentIndex)
    inputs = panel.panel.method.inputs
    picking = inputs.sections["landmarks"].box
    assert picking.widget.title == "Pick vertebrae in ap (optional)"
    assert picking.name.toolTip.startswith("Vertebrae picked in 3D Slicer by a click")
    assert [picking.name.itemText(n) for n in range(picking.name.count)] == ["L1", "L2", "L3", "L4", "L5"]
    assert {"level", "spine_to_detector_mm", "refine"} <= set(inputs.sections)
    picking.name.setCurrentIndex(picking.name.findData("L3"))
    picking.button.click()
    assert picking.message.text == "Click on: L3."
    click_at(slicer, inputs.views.landmarks_of(panel.panel.parameters().image), 10, 20)
    inputs.sections["refine"].editor.click()
    options = inputs.prepare()(tmp_path)["options"]
    written = json.loads(Path(options["landmarks"][0]).read_text())
    assert [point["label"] for point in written["markups"][0]["controlPoints"]] == ["L3"]
    assert options["refine"] is True
