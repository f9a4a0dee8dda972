"""The panel's rows come from what an engine declares; what was chosen is saved with the scene and sent to the worker.

The engine is one that only the tests know (`engines.toy_engine`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.toy_engine import ENGINE
from host.application import wait_until
from mri2mesh.engines.kinds import RADIOGRAPHS
from mri2mesh.engines.options import Flag, Landmarks, Number, Text
from mri2mesh.engines.registry import get_engine, register
from mri2mesh.folders.cases import cases_in
from panel.watched import LONG


@pytest.fixture
def toy(slicer: Any) -> Iterator[None]:
    """Before the panel opens."""
    forget = register(ENGINE)
    yield
    forget()


def choose(panel: Any, engine: str) -> Any:
    """The inputs of an engine that fits the chosen image."""
    selector = panel.ui.methodSelector
    selector.setCurrentIndex(selector.findData(engine))
    selector.activated.emit(selector.currentIndex)
    return panel.panel.method.inputs


def pick(row: Any, name: str) -> None:
    row.editor.setCurrentIndex(row.editor.findData(name))
    row.editor.activated.emit(row.editor.currentIndex)


@pytest.fixture
def inputs(toy, panel, load_volume) -> Any:
    panel.ui.inputSelector.setCurrentNode(load_volume())
    return choose(panel, "toy")


def test_each_option_has_a_row(panel, inputs):
    assert panel.ui.methodSelector.currentText == "Toy: a ball in a volume"
    assert panel.ui.methodSentence.text == "Puts a ball into the middle of the image."
    assert list(inputs.sections) == ["radius", "which", "notes"]
    radius, which = inputs.sections["radius"].editor, inputs.sections["which"].editor
    assert (radius.value, radius.minimum, radius.maximum, radius.suffix) == (5.0, 1.0, 20.0, " mm")
    assert [which.itemText(number) for number in range(which.count)] == ["third", "fourth"]
    assert inputs.sections["which"].value == "L3"  # one must be chosen: the first is
    assert radius.toolTip == "Of the ball."


def test_what_was_chosen_is_given_to_the_worker(inputs, tmp_path):
    assert set(inputs.prepare()(folder(tmp_path, "first"))["options"]) == {"which"}
    inputs.sections["radius"].editor.value = 7.5
    pick(inputs.sections["which"], "L4")
    inputs.sections["notes"].editor.setCurrentPath(str(tmp_path / "note.txt"))
    request = inputs.prepare()(folder(tmp_path, "second"))
    assert request["options"] == {"radius": 7.5, "which": "L4", "notes": [str(tmp_path / "note.txt")]}
    assert [Path(image).is_file() for image in request["inputs"]] == [True]


def folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def test_what_was_chosen_is_saved_with_the_scene_and_the_image(panel, slicer, inputs, tmp_path):
    inputs.sections["radius"].editor.value = 7.5
    pick(inputs.sections["which"], "L4")
    inputs.sections["notes"].editor.setCurrentPath("note.txt")
    scene = slicer.mrmlScene
    scene.SetURL(str(tmp_path / "scene.mrml"))
    scene.SetRootDirectory(str(tmp_path))
    assert scene.Commit()
    scene.Clear(0)
    wait_until(lambda: not panel.ui.runButton.enabled, 10)
    scene.SetURL(str(tmp_path / "scene.mrml"))
    assert scene.Connect()
    wait_until(lambda: panel.panel.parameters().image is not None, 10)
    wait_until(lambda: panel.panel.method.engine is not None, 10)
    after = panel.panel.method.inputs
    assert panel.panel.method.engine is ENGINE
    assert [after.sections[name].value for name in ("radius", "which", "notes")] == [
        7.5,
        "L4",
        Path("note.txt"),
    ]
    assert after.sections["radius"].editor.value == 7.5


def test_what_a_scene_holds_and_no_engine_can_use_is_the_default(panel, inputs):
    node = panel.panel.parameters().parameterNode
    for text in ("90", "not JSON", '"big"', "NaN"):
        node.SetParameter("toy.radius", text)
        assert inputs.sections["radius"].value == 5.0
    node.SetParameter("toy.which", '"L9"')
    assert inputs.sections["which"].value == "L3"


def test_a_folder_is_done_with_what_was_chosen_and_what_lies_beside_each_image(panel, inputs, tmp_path):
    inputs.sections["radius"].editor.value = 7.5
    sentence = panel.ui.batchSentence.text
    assert "As chosen in section 2 for all of them: Radius: 7.5 mm; Which: third." in sentence
    assert "NAME.note.txt goes with it as --note" in sentence
    options = panel.panel.batch._request()["options"]
    assert options == {"radius": 7.5, "which": "L3", "device": "auto", "formats": ["vtp", "stl"]}
    images = folder(tmp_path, "images")
    for name in ("one.nii", "two.nii", "two.note.txt"):
        (images / name).write_text("anything")
    one, two = cases_in(images, ENGINE, tmp_path / "out")
    assert (one.options, two.options) == ({}, {"notes": [str(images / "two.note.txt")]})


def test_values_of_single_images_follow_the_selected_view(panel, slicer, add_image):
    """And the panel of a method without landmarks that takes some views shows no more than it needs."""
    options = (
        Number("dose", label="Dose", help="of the view", per_image=True, whole=True, least=0),
        Text("remark", label="Remark", help="about the whole"),
        Flag("fast", label="Fast", help="be quick"),
    )
    forget = register(replace(ENGINE, takes=RADIOGRAPHS, options=options, most_images=2))
    try:
        nodes = [add_image(np.zeros((1, 64, 48), np.uint16), name) for name in ("ap", "lateral", "oblique")]
        panel.ui.inputSelector.setCurrentNode(nodes[0])
        inputs = choose(panel, "toy")
        assert inputs.views.table.isColumnHidden(2)
        inputs._add(nodes[1])
        dose = inputs.sections["dose"]
        dose.editor.value = 3
        inputs.views.table.selectRow(1)
        assert inputs.image_box.title == "For lateral" and dose.value is None
        dose.editor.value = 0
        inputs.views.table.selectRow(0)
        assert dose.editor.value == 3 and dose.take()(Path(), []) == [3, 0]
        inputs.sections["remark"].editor.setText("good")
        inputs.sections["remark"].editor.editingFinished.emit()
        inputs.sections["fast"].editor.click()
        assert inputs.sections["remark"].value == "good" and inputs.sections["fast"].value is True
        assert inputs.problem() == ""
        inputs._add(nodes[2])
        assert "up to 2 radiographs" in inputs.problem() and not panel.ui.runButton.enabled
    finally:
        forget()


def test_a_method_of_one_radiograph_takes_the_first_and_offers_no_other(panel, add_image):
    forget = register(replace(ENGINE, takes=RADIOGRAPHS, options=(), most_images=1))
    try:
        nodes = [add_image(np.zeros((1, 64, 48), np.uint16), name) for name in ("ap", "lateral")]
        panel.ui.inputSelector.setCurrentNode(nodes[0])
        choose(panel, "xray-fit")._add(nodes[1])
        inputs = choose(panel, "toy")
        assert inputs.nodes() == nodes[:1] and inputs.views.add_button.isHidden()
    finally:
        forget()


def test_landmarks_of_another_engine_are_picked_by_its_own_names(panel, add_image):
    marks = Landmarks("landmarks", label="Points", help="picked", names="panel.test_panel_declared:corners")
    forget = register(replace(ENGINE, takes=RADIOGRAPHS, options=(marks,)))
    try:
        panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
        box = choose(panel, "toy").sections["landmarks"].box
        assert [box.name.itemData(number) for number in range(box.name.count)] == ["upper", "lower"]
    finally:
        forget()


def corners(values: dict[str, Any]) -> tuple[str, ...]:
    return ("upper", "lower")


def test_the_outline_of_a_bone_can_be_given_in_the_panel(panel, add_image, tmp_path):
    panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
    inputs = panel.panel.method.inputs
    assert panel.panel.method.engine is get_engine("xray-fit")
    wait_until(lambda: not panel.panel.running.client.busy and not panel.panel.background._waiting, LONG)
    inputs.sections["masks"].editor.setCurrentPath(str(tmp_path / "mask.png"))
    options = inputs.prepare()(folder(tmp_path, "made"))["options"]
    assert options["masks"] == [str(tmp_path / "mask.png")] and options["anatomy"] == "pelvis"
