"""A folder of images through the panel's button and the real worker: each is reported, none stops the others."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from engines.xray_fit.simulated import simulate
from host.application import wait_until
from mri2mesh.anatomy.shape_models.file import landmark_names
from mri2mesh_slicer.runs.results import read_run
from panel.watched import LONG, node_count

SKIP = 4
"""Only each fourth pixel of a film: the smallest that is read, and quick to fit."""
LANDMARKS = len(landmark_names("L3"))


@pytest.fixture
def press(panel, tmp_path):
    """Presses the button for a folder; the messages until the end."""

    def run(folder) -> list[str]:
        ui, messages = panel.ui, []
        ui.batchInput.setCurrentPath(str(folder))
        ui.batchOutput.setCurrentPath(str(tmp_path / "results"))
        ui.batchButton.click()

        def ended() -> bool:
            if not messages or messages[-1] != ui.batchMessage.text:
                messages.append(ui.batchMessage.text)
            return not panel.panel.batch.busy

        wait_until(ended, LONG)
        return messages

    return run


def test_a_file_that_is_no_image_is_reported_and_the_others_are_exported(
    panel, slicer, press, two_vertebrae, tmp_path
):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a_letter.nii").write_text("Dear colleague, this is not an image.")
    shutil.copy(two_vertebrae, folder / "lumbar.nii")
    (folder / "notes.txt").write_text("not looked at")
    before = node_count(slicer)

    choose_format(panel, "ply")
    messages = press(folder)

    assert any(line.startswith("1 of 2: a_letter.nii") for line in messages)
    assert any(line.startswith("2 of 2: lumbar.nii, deform the templates") for line in messages)
    first, *failures = messages[-1].splitlines()
    assert first.startswith("1 done") and failures[0].startswith("a_letter.nii: ")
    results = tmp_path / "results"
    written = [path.stem for path in (results / "lumbar").glob("*.ply")]
    assert len(written) == 4 and not any("?" in name for name in written)
    assert (results / "lumbar" / "report.html").is_file()
    assert sorted(path.name for path in results.iterdir()) == ["cases.csv", "lumbar"]
    with (results / "cases.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    assert rows["a_letter.nii"]["status"] == "failed" and rows["lumbar.nii"]["structures"] == "4"
    again = press(folder)
    assert not any("lumbar.nii, " in line for line in again), "what was done is not done again"
    assert again[-1].startswith("1 done, 1 not. Done before: 1.")
    assert node_count(slicer) == before
    assert panel.ui.batchButton.text == "Apply to all"


@pytest.mark.parametrize("button", ["batchButton", "cancelButton"])
def test_cancelled_it_leaves_nothing_half_done(panel, two_vertebrae, tmp_path, button):
    (tmp_path / "images").mkdir()
    for name in ("one.nii", "two.nii"):
        shutil.copy(two_vertebrae, tmp_path / "images" / name)
    ui = panel.ui
    ui.batchInput.setCurrentPath(str(tmp_path / "images"))
    ui.batchOutput.setCurrentPath(str(tmp_path / "results"))
    ui.batchButton.click()
    wait_until(lambda: ui.batchMessage.text.startswith("1 of 2: one.nii, find the spine"), LONG)
    assert ui.batchButton.text == "Cancel" and not ui.runButton.enabled
    getattr(ui, button).click()
    wait_until(lambda: not panel.panel.batch.busy, LONG)
    assert ui.batchMessage.text == "0 done, 1 not.\none.nii: Cancelled."
    assert [path.name for path in (tmp_path / "results").glob("*")] == [
        "cases.csv"
    ] and ui.batchButton.text == "Apply to all"


def choose_format(panel, name: str) -> None:
    selector = panel.ui.batchFormat
    selector.setCurrentIndex(selector.findData(name))
    selector.activated.emit(selector.currentIndex)


def choose_bone(panel, name: str) -> None:
    selector = panel.panel.method.inputs.sections["anatomy"].editor
    selector.setCurrentIndex(selector.findData(name))
    selector.activated.emit(selector.currentIndex)


@pytest.fixture
def films(tmp_path) -> Path:
    """An L3 seen from the front, small, with its geometry beside it; one that is damaged; and a folder with two views
    of another patient, of which nothing is known. All have landmarks."""
    folder = tmp_path / "films"
    (folder / "two_views").mkdir(parents=True)
    truth = simulate("L3", (180.0, 90.0), 200.0)
    points = [
        {"label": name, "position": truth.model.landmark(name, truth.vertices).tolist()}
        for name in truth.model.landmarks
    ]
    markups = {"markups": [{"coordinateSystem": "RAS", "controlPoints": points}]}
    for name, one in zip(("good", "two_views/lateral"), truth.radiographs, strict=True):
        shown = np.uint8(255 * one.pixels[::SKIP, ::SKIP] / one.pixels.max())
        sitk.WriteImage(sitk.GetImageFromArray(shown), str(folder / f"{name}.png"))
        (folder / f"{name}.mrk.json").write_text(json.dumps(markups))
    for ending in ("png", "mrk.json"):
        shutil.copy(folder / f"good.{ending}", folder / "two_views" / f"ap.{ending}")
    content = (folder / "good.png").read_bytes()
    (folder / "halved.png").write_bytes(content[: len(content) // 2])
    camera = {"source_to_detector_mm": 1000, "source_to_isocentre_mm": 800, "primary_angle_deg": 180}
    spacing = SKIP * truth.radiographs[0].geometry.pixel_spacing_mm.value[0]
    (folder / "good.camera.json").write_text(json.dumps({**camera, "pixel_spacing_mm": [spacing, spacing]}))
    return folder


def test_radiographs_are_fitted_one_by_one_and_views_of_a_patient_together(
    panel, slicer, press, films, add_image, tmp_path
):
    panel.ui.inputSelector.setCurrentNode(add_image(np.eye(64, dtype=np.uint16)[None], "any"))
    choose_bone(panel, "L3")
    wait_until(lambda: not panel.panel.running.client.busy and not panel.panel.background._waiting, 120)
    before = node_count(slicer)
    messages = press(films)
    assert any(line.startswith("1 of 3: good.png, fit") for line in messages)
    assert any(line.startswith("3 of 3: two_views, fit") for line in messages)
    first, failed, _heading, doubtful = [
        line for line in messages[-1].splitlines() if not line.startswith("good")
    ]
    assert first == "2 done, 1 not."
    assert failed == "halved.png: The picture is truncated or damaged: copy or export it again."
    assert doubtful.startswith("two_views: ") and "the angles of its views are only assumed" in doubtful
    assert "he scale is unknown" in doubtful and "see its report" in doubtful

    results = tmp_path / "results"
    assert sorted(path.name for path in results.iterdir()) == ["cases.csv", "good", "two_views"]
    assert (results / "good" / "L3.stl").is_file() and (results / "two_views" / "L3.vtp").is_file()
    good, two = (read_run(results / name).report for name in ("good", "two_views"))
    assert good.scale_known and not two.scale_known and len(two.views) == 2
    assert good.views[0].geometry.source_to_detector_mm.value == 1000.0
    assert json.loads(good.text)["settings"] == {"anatomy": "L3", "landmarks": LANDMARKS}
    assert json.loads(two.text)["settings"]["landmarks"] == 2 * LANDMARKS
    assert node_count(slicer) == before


def test_it_says_what_it_takes_and_does_as_is_chosen_above(panel, load_volume, add_image):
    sentence = panel.ui.batchSentence
    assert ".nrrd" in sentence.text and "DICOM series" in sentence.text and "MRI2Mesh" in sentence.text
    panel.ui.inputSelector.setCurrentNode(load_volume())
    panel.panel.method.inputs.sections["level_shift"].editor.value = -1
    assert "As chosen in section 2 for all of them: Shift the levels by: -1." in sentence.text
    request = panel.panel.batch._request()
    assert request["engine"] == "mri2mesh"
    assert request["options"] == {"level_shift": -1, "device": "auto", "formats": ["vtp", "stl"]}
    choose_format(panel, "labelmaps")
    assert panel.panel.batch._request()["options"]["labelmaps"] is True
    assert "For radiographs choose one of them in section 1" in sentence.text

    panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
    assert "Every radiograph, DICOM or picture" in sentence.text and "NAME.camera.json" in sentence.text
    assert "As chosen in section 2 for all of them: Bone: Pelvis." in sentence.text
    choose_bone(panel, "femur_left")
    assert "Bone: Left femur." in sentence.text
    request = panel.panel.batch._request()
    assert request["engine"] == "xray-fit"
    assert request["options"] == {"anatomy": "femur_left", "device": "auto", "formats": ["vtp", "stl"]}
    assert panel.ui.batchFormat.findData("labelmaps") == -1  # a radiograph has no voxels to fill


def test_a_folder_without_images_says_what_to_put_there(panel, press, tmp_path):
    (tmp_path / "empty").mkdir()
    assert press(tmp_path / "empty")[-1].startswith("No image was found there: put .nii")
    assert press("")[-1] == "Choose the folder that holds the images."
