"""Which slices form one volume: nothing is dropped or merged in silence, and a list tells its entries apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from imaging.dicom_files import PATIENT, write_multiframe, write_series
from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.reading import read_volume

N = 9
ARRAY = np.random.default_rng(9).permutation(N * 80).reshape(N, 8, 10).astype(np.uint16)
MATRIX = np.array([[0, 0, 4.0, 1], [0.7, 0, 0, 2], [0, -0.8, 0, 3], [0, 0, 0, 1]]) * [[1], [-1], [1], [1]]
MATRIX[:3, 2] = 4 * np.cross(MATRIX[:3, 0], MATRIX[:3, 1]) / 0.56
USUAL, NORMALISED = ["ORIGINAL", "PRIMARY", "M", "SE"], ["ORIGINAL", "PRIMARY", "M", "SE", "NORM"]


def refusal(path: Path, series: int | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_volume(path, series)
    message = str(caught.value)
    for private in ("\n", "Doe", "12345", "2020", "lumbar", str(path)):
        assert private not in message
    return message


def some(which: tuple[int, ...], here, elsewhere) -> list:
    return [here if k in which else elsewhere for k in range(N)]


@pytest.mark.parametrize("which", [(N - 2, N - 1), (3, 4), (0,)])
@pytest.mark.parametrize(("tag", "here", "elsewhere", "name"), [
    ("ImageType", NORMALISED, USUAL, "Image Type"), ("EchoTime", "101.5", "90", "Echo Time"),
    ("EchoNumbers", 2, 1, "Echo Number"), ("FlipAngle", "150", "90", "Flip Angle"),
    ("TemporalPositionIdentifier", 2, 1, "Temporal Position"), ("InversionTime", "160", "0", "Inversion Time"),
])  # fmt: skip
def test_one_series_is_one_volume_and_what_differs_is_said(tmp_path, which, tag, here, elsewhere, name):
    write_series(tmp_path, ARRAY, MATRIX, **{tag: some(which, here, elsewhere)})
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array, ARRAY)
    (warning,) = volume.warnings
    assert f"the slices differ in {name}" in warning


def test_slices_of_two_frames_of_reference_are_said(tmp_path):
    write_series(tmp_path, ARRAY, MATRIX, FrameOfReferenceUID=some((1, 2), "1.2.3", "1.2.4"))
    (warning,) = read_volume(tmp_path).warnings
    assert "the patient may have moved" in warning


def test_what_only_looks_different_is_not_said(tmp_path):
    write_series(
        tmp_path, ARRAY, MATRIX, EchoTime=some((2,), "90.00", "90"), RepetitionTime=some((1,), "3001", "3000")
    )
    assert read_volume(tmp_path).warnings == ()


def test_slices_of_another_size_or_direction_in_the_series_are_counted(tmp_path):
    uid = generate_uid()
    write_series(tmp_path / "a", ARRAY, MATRIX, SeriesInstanceUID=uid)
    write_series(tmp_path / "b", ARRAY[:2, :4], MATRIX, SeriesInstanceUID=uid)
    write_series(tmp_path / "c", ARRAY[:1], np.diag([0.5, 0.5, 3.0, 1.0]), SeriesInstanceUID=uid)
    write_series(tmp_path / "d", ARRAY[:1], MATRIX, SeriesInstanceUID=uid, ImagePositionPatient=None)
    (warning,) = read_volume(tmp_path).warnings
    assert "4 images of the series were left out" in warning


def test_a_scout_of_another_series_is_no_matter(tmp_path):
    write_series(tmp_path / "a", ARRAY, MATRIX)
    write_series(tmp_path / "scout", ARRAY[:2], np.diag([0.5, 0.5, 3.0, 1.0]))
    assert read_volume(tmp_path).warnings == ()


def test_damaged_dicom_files_are_counted(tmp_path):
    paths = write_series(tmp_path, ARRAY, MATRIX)
    (tmp_path / "broken").write_bytes(paths[0].read_bytes()[:140] + b"\xff" * 100)
    (tmp_path / "letter.txt").write_text("no image")
    (warning,) = read_volume(tmp_path).warnings
    assert "1 DICOM file is damaged and left out" in warning


def test_two_patients_under_one_series_are_never_mixed(tmp_path):
    uid = generate_uid()
    write_series(tmp_path / "a", ARRAY[:4], MATRIX, SeriesInstanceUID=uid, PatientID="A")
    below = MATRIX @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]])
    write_series(tmp_path / "b", ARRAY[4:], below, SeriesInstanceUID=uid, PatientID="B")
    message = refusal(tmp_path)
    assert "2 DICOM series" in message and "patient 1" in message and "patient 2" in message


@pytest.mark.parametrize(("tag", "values"), [
    ("EchoTime", ("30", "90")), ("EchoNumbers", (1, 2)), ("ImageType", (["DERIVED", "PRIMARY", "WATER"], ["DERIVED",
    "PRIMARY", "FAT"])), ("TemporalPositionIdentifier", (1, 2)), ("DiffusionBValue", (0.0, 800.0)),
    ("AcquisitionNumber", (1, 2)), ("TriggerTime", ("10", "400")), ("InversionTime", ("150", "2500")),
])  # fmt: skip
def test_images_at_one_place_are_told_apart_by_what_differs(tmp_path, tag, values):
    uid = generate_uid()
    for n, value in enumerate(values):
        write_series(tmp_path / str(n), ARRAY + n, MATRIX, SeriesInstanceUID=uid, **{tag: value})
    message = refusal(tmp_path)
    entries = message.split("(")[1].split(";")
    assert "2 DICOM series" in message and len({entry.strip()[3:] for entry in entries}) == 2
    found = [read_volume(tmp_path, series=n).array for n in (1, 2)]
    assert {a.tobytes() for a in found} == {(ARRAY + n).astype(np.float32).tobytes() for n in (0, 1)}


def test_a_list_names_what_tells_its_entries_apart_and_nothing_of_the_patient(tmp_path):
    secret = {"SeriesDescription": "Smith T2", "ProtocolName": "Smith", "StudyDescription": "Smith",
              "PatientName": "Smith", "ImageType": ["ORIGINAL", "PRIMARY", "SMITH"]}  # fmt: skip
    write_series(
        tmp_path / "one", ARRAY, MATRIX, SeriesNumber=4, RepetitionTime="500", EchoTime="11", **secret
    )
    write_series(
        tmp_path / "two", ARRAY, MATRIX, SeriesNumber=5, RepetitionTime="3500", EchoTime="102", **secret
    )
    write_series(tmp_path / "ct", ARRAY, MATRIX, SeriesNumber=6, Modality="CT", **secret)
    message = refusal(tmp_path)
    assert "Smith".upper() not in message.upper()
    assert "1: sagittal, 9 slices of 10 x 8 every 4.0 mm, TE 11, TR 500, MR, series number 4" in message
    assert "2: sagittal, 9 slices of 10 x 8 every 4.0 mm, TE 102, TR 3500, MR, series number 5" in message
    assert "3: sagittal, 9 slices of 10 x 8 every 4.0 mm, CT, series number 6" in message


def test_two_series_that_differ_in_nothing_shown_are_told_apart_by_their_folder(tmp_path):
    for name in ("a", "b"):
        write_series(tmp_path / name, ARRAY, MATRIX, StudyInstanceUID="1.2.3")
    message = refusal(tmp_path)
    assert "folder 1" in message and "folder 2" in message


def test_a_gap_between_slices_that_differ_says_so(tmp_path):
    kept = write_series(tmp_path, ARRAY, MATRIX, ImageType=some((7, 8), NORMALISED, USUAL))
    kept[5].unlink()
    message = refusal(tmp_path)
    assert "slices are missing" in message and "they differ in Image Type" in message


def test_frames_without_a_place_are_counted(tmp_path):
    write_multiframe(tmp_path / "enhanced", ARRAY, MATRIX, list(range(N)))
    dataset = pydicom.dcmread(tmp_path / "enhanced")
    del dataset.PerFrameFunctionalGroupsSequence[N - 1].PlanePositionSequence
    dataset.save_as(tmp_path / "enhanced")
    volume = read_volume(tmp_path / "enhanced")
    assert len(volume.array) == N - 1 and "1 image of the series was left out" in volume.warnings[0]


def test_several_frames_with_one_place_are_refused(tmp_path):
    write_series(tmp_path, np.tile(ARRAY[:1], (1, 3, 1)), MATRIX, NumberOfFrames=3, Rows=8)
    assert "several frames and says the place of one only" in refusal(tmp_path)


def test_a_segmentation_is_refused(tmp_path):
    write_series(tmp_path, ARRAY, MATRIX, Modality="SEG")
    assert "a segmentation" in refusal(tmp_path)


@pytest.mark.parametrize(("change", "words"), [
    ({"PixelSpacing": ["0.0007", "0.0008"]}, "cannot be that of a patient's image"),
    ({"PixelSpacing": ["700", "700"]}, "cannot be that of a patient"),
    ({"PixelSpacing": ["1e300", "1"]}, "cannot be that of a patient"),
])  # fmt: skip
def test_a_size_that_no_patient_has_is_refused(tmp_path, change, words):
    write_series(tmp_path, ARRAY, MATRIX, **change)
    assert words in refusal(tmp_path)


def test_the_name_of_the_patient_is_in_these_files(tmp_path):
    """So that the tests above look for something that is there."""
    assert PATIENT in str(pydicom.dcmread(write_series(tmp_path, ARRAY, MATRIX)[0]).PatientName)
