"""Going on from an earlier fit: offered for the same radiographs and bone only, and given to the worker as a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.engines.reading import Inputs, earlier_fit
from mri2mesh.engines.registry import get_engine
from mri2mesh_slicer.runs.results import read_run
from scene.made_runs import femur_from_two_views


@pytest.fixture
def inputs(panel, slicer, add_image, tmp_path):
    """Two views of a left femur with an earlier fit of them."""
    from mri2mesh_slicer.runs.scene_building import add_run

    nodes = [add_image(np.full((1, 48, 40), 9, np.uint16), name) for name in ("ap", "lateral")]
    panel.ui.inputSelector.setCurrentNode(nodes[0])
    inputs = panel.panel.method.inputs
    inputs.views.further.setCurrentNode(nodes[1])
    inputs.views.add_button.click()
    choose_bone(inputs, "femur_left")
    assert start_of(inputs).widget.isHidden()
    add_run(slicer.mrmlScene, read_run(femur_from_two_views(tmp_path / "femur")), nodes, name="first try")
    panel.panel.refresh()
    return inputs


def start_of(inputs):
    return inputs.sections["start"].box


def choose_bone(inputs, name: str) -> None:
    bone = inputs.sections["anatomy"].editor
    bone.setCurrentIndex(bone.findData(name))
    bone.activated.emit(bone.currentIndex)


def choose(inputs, number: int) -> None:
    start_of(inputs).selector.setCurrentIndex(number)
    start_of(inputs).selector.activated.emit(number)


def written(inputs, folder: Path) -> dict:
    folder.mkdir()
    return inputs.prepare()(folder)["options"]


def test_the_chosen_fit_is_given_to_the_worker_and_without_a_choice_none_is(inputs, tmp_path):
    assert "first try" in start_of(inputs).selector.itemText(1)
    assert "start" not in written(inputs, tmp_path / "none")
    choose(inputs, 1)
    start = Path(written(inputs, tmp_path / "chosen")["start"])
    engine = get_engine("xray-fit")
    asked = Inputs(engine, engine.option("start"), (), None, {"anatomy": "femur_left"})
    assert earlier_fit(start, asked) == {"position": [0.0, 0.0, 0.0]}
    assert json.loads((start / "report.json").read_text())["engine"] == "xray-fit"


def test_it_is_offered_for_the_same_bone_and_views_only(panel, inputs):
    choose(inputs, 1)
    choose_bone(inputs, "femur_right")
    assert start_of(inputs).widget.isHidden() and start_of(inputs).chosen is None
    choose_bone(inputs, "femur_left")
    assert not start_of(inputs).widget.isHidden() and start_of(inputs).selector.currentIndex == 0
    inputs.views.table.selectRow(1)
    inputs.views.remove_button.click()
    assert start_of(inputs).widget.isHidden()


def test_it_goes_with_its_run(panel, inputs):
    choose(inputs, 1)
    panel.ui.removeRunButton.click()
    panel.panel.refresh()
    assert start_of(inputs).widget.isHidden() and start_of(inputs).chosen is None
