"""What in a folder is a case follows from what an engine takes, and what lies beside an image goes with it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from mri2mesh.engines.registry import get_engine
from mri2mesh.errors import InputError
from mri2mesh.folders.cases import Case, cases_in
from mri2mesh.samples import PELVIS_FRONT, PELVIS_OBLIQUE

VOLUMES, RADIOGRAPHS = get_engine("mri2mesh"), get_engine("xray-fit")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two films, a picture, a volume, a folder with both views of a patient, and things that are none of these."""
    made = tmp_path / "images"
    (made / "patient").mkdir(parents=True)
    shutil.copy(PELVIS_FRONT, made / "film.dcm")
    shutil.copy(PELVIS_OBLIQUE, made / "1.2.840.10008")  # as exported without an ending
    shutil.copy(PELVIS_FRONT, made / "patient" / "ap.dcm")
    shutil.copy(PELVIS_OBLIQUE, made / "patient" / "oblique.dcm")
    sitk.WriteImage(sitk.GetImageFromArray(np.eye(40, dtype=np.uint8)), str(made / "picture.png"))
    (made / "lumbar.nii.gz").write_bytes(b"not looked into")
    (made / "notes.txt").write_text("not an image")
    (made / "patient" / "notes.txt").write_text("not an image")
    (made / ".hidden.png").write_text("not looked at")
    return made


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


def test_files_and_folders_are_cases_by_what_the_engine_takes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    volumes = cases_in(folder, VOLUMES, out)
    assert names(volumes) == ["lumbar.nii.gz", "patient"]
    assert [case.result for case in volumes] == ["lumbar", "patient"]
    assert [case.images for case in volumes] == [(folder / "lumbar.nii.gz",), (folder / "patient",)]

    films = cases_in(folder, RADIOGRAPHS, out)
    assert names(films) == ["1.2.840.10008", "film.dcm", "patient", "picture.png"]
    assert [case.result for case in films] == ["1.2.840.10008", "film", "patient", "picture"]
    assert films[2].images == (folder / "patient" / "ap.dcm", folder / "patient" / "oblique.dcm")
    assert all(case.options == {} for case in (*volumes, *films))


def test_geometry_and_landmarks_lie_beside_their_image(folder: Path, tmp_path: Path) -> None:
    for name in ("picture.mrk.json", "patient/oblique.mrk.json", "film.camera.json", "camera.json"):
        (folder / name).write_text(json.dumps({}))
    options = {case.name: case.options for case in cases_in(folder, RADIOGRAPHS, tmp_path / "results")}
    # The camera for all is for pictures: a DICOM file brings its own geometry, until one lies beside it.
    assert options["1.2.840.10008"] == {}
    assert options["film.dcm"] == {"cameras": [str(folder / "film.camera.json")]}
    assert options["patient"] == {"landmarks": [None, str(folder / "patient" / "oblique.mrk.json")]}
    assert options["picture.png"] == {
        "cameras": [str(folder / "camera.json")],
        "landmarks": [str(folder / "picture.mrk.json")],
    }
    (folder / "picture.camera.json").write_text(json.dumps({}))
    own = cases_in(folder, RADIOGRAPHS, tmp_path)[-1].options["cameras"]
    assert own == [str(folder / "picture.camera.json")]


def test_an_engine_is_given_no_landmarks_that_it_has_no_use_for(folder: Path, tmp_path: Path) -> None:
    (folder / "picture.mrk.json").write_text(json.dumps({}))
    without = replace(RADIOGRAPHS, options=RADIOGRAPHS.options[:1])
    assert [case.options for case in cases_in(folder, without, tmp_path)] == [{}, {}, {}, {}]


def test_earlier_results_are_no_cases_and_no_result_replaces_another(folder: Path) -> None:
    results = folder / "results"
    for name in ("results/film", "tried before"):
        (folder / name).mkdir(parents=True)
        (folder / name / "report.json").write_text("{}")
        shutil.copy(folder / "picture.png", folder / name / "view_1.png")
    shutil.copy(folder / "picture.png", folder / "film.png")
    assert names(cases_in(folder, VOLUMES, results)) == ["lumbar.nii.gz", "patient"]
    films = cases_in(folder, RADIOGRAPHS, results)
    assert [case.result for case in films] == ["1.2.840.10008", "film.dcm", "film.png", "patient", "picture"]


def test_results_do_not_go_among_the_images(folder: Path) -> None:
    with pytest.raises(InputError, match="choose another folder for the results"):
        cases_in(folder, RADIOGRAPHS, folder / "patient" / "..")


def test_a_damaged_dicom_file_is_reported_and_not_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "letter.dcm").write_text("Dear colleague")
    assert "letter.dcm" in names(cases_in(folder, RADIOGRAPHS, tmp_path))


def test_a_folder_without_cases_says_what_to_put_there(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"no image was found there: put \.nii"):
        cases_in(empty, VOLUMES, tmp_path)
    with pytest.raises(
        InputError, match=r"no radiograph was found there: put DICOM files or pictures \(\.png"
    ):
        cases_in(empty, RADIOGRAPHS, tmp_path)
    for folder in ("", "  ", tmp_path / "nowhere"):
        with pytest.raises(InputError, match="choose the folder that holds the images"):
            cases_in(folder, VOLUMES, tmp_path)
