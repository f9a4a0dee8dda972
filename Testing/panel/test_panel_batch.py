"""A folder of images through the panel's button and the real worker: each is told, none stops the others."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from host.application import wait_until
from panel.watched import LONG, node_count


@pytest.fixture
def press(panel, tmp_path):
    """Presses the button for a folder; what was told until the end."""

    def run(folder) -> list[str]:
        ui, told = panel.ui, []
        ui.batchInput.setCurrentPath(str(folder))
        ui.batchOutput.setCurrentPath(str(tmp_path / "results"))
        ui.batchButton.click()

        def ended() -> bool:
            if not told or told[-1] != ui.batchMessage.text:
                told.append(ui.batchMessage.text)
            return not panel.panel.batch.busy

        wait_until(ended, LONG)
        return told

    return run


def test_a_file_that_is_no_image_is_told_and_the_others_are_exported(
    panel, slicer, press, two_vertebrae, tmp_path
):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a_letter.nii").write_text("Dear colleague, this is not an image.")
    shutil.copy(two_vertebrae, folder / "lumbar.nii")
    (folder / "notes.txt").write_text("not looked at")
    before = node_count(slicer)

    choose_format(panel, "ply")
    told = press(folder)

    assert any(line.startswith("1 of 2: a_letter.nii") for line in told)
    assert any(line.startswith("2 of 2: lumbar.nii, deform the templates") for line in told)
    first, *failures = told[-1].splitlines()
    assert first.startswith("1 done") and failures[0].startswith("a_letter.nii: ")
    results = tmp_path / "results"
    assert (results / "lumbar" / "L4.ply").is_file() and (results / "lumbar" / "report.html").is_file()
    assert [path.name for path in results.iterdir()] == ["lumbar"]
    assert node_count(slicer) == before
    assert panel.ui.batchButton.text == "Run them all, one after the other"


def choose_format(panel, name: str) -> None:
    selector = panel.ui.batchFormat
    selector.setCurrentIndex(selector.findData(name))
    selector.activated.emit(selector.currentIndex)


def test_it_says_what_it_takes_and_does_as_is_chosen_above(panel, load_volume, add_image):
    told = panel.ui.batchSentence
    assert ".nrrd" in told.text and "DICOM series" in told.text and "MRI2Mesh" in told.text
    panel.ui.inputSelector.setCurrentNode(load_volume())
    panel.panel.method.inputs.shift.value = -1
    assert "shifted by -1" in told.text
    request = panel.panel.batch._request()
    assert request["engine"] == "mri2mesh"
    assert request["options"] == {"level_shift": -1, "device": "auto", "formats": ["vtp", "stl"]}
    choose_format(panel, "labelmaps")
    assert panel.panel.batch._request()["options"]["labelmaps"] is True
    # Views of one bone belong together: radiographs are not done one by one.
    panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
    assert panel.panel.batch._request()["engine"] == "mri2mesh"


def test_a_folder_without_images_says_what_to_put_there(panel, press, tmp_path):
    (tmp_path / "empty").mkdir()
    assert press(tmp_path / "empty")[-1].startswith("No image was found there: put .nii")
    assert press("")[-1] == "Choose the folder that holds the images."
