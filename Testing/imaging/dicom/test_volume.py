"""DICOM series, written with pydicom and read back in their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless, generate_uid

from imaging.dicom_files import PATIENT, write_multiframe, write_series
from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.imaging.volumes.recognise import describe


@pytest.fixture
def array() -> np.ndarray:
    """[K, J, I]: 6 slices of 8 rows and 10 columns, every voxel different."""
    return np.random.default_rng(9).permutation(480).reshape(6, 8, 10).astype(np.uint16)


@pytest.fixture
def matrix(sagittal_matrix) -> np.ndarray:
    """The sagittal frame with slices from left to right, as rows x columns points for this one."""
    k_flipped = sagittal_matrix.copy()
    normal = np.cross(sagittal_matrix[:3, 0], sagittal_matrix[:3, 1])
    if normal @ sagittal_matrix[:3, 2] < 0:
        k_flipped[:3, 2] *= -1
    return k_flipped


def refusal(path: Path, series: int | None = None) -> str:
    """The line a user would see; nothing of the patient, nor where the file lies."""
    with pytest.raises(InputError) as caught:
        read_volume(path, series)
    message = str(caught.value)
    for private in ("\n", "Doe", "12345", "2020", str(path)):
        assert private not in message
    return message


def test_a_tilted_series_is_read_in_place_whatever_its_file_names(tmp_path, array, matrix, capfd):
    write_series(tmp_path / "series", array, matrix)
    volume = read_volume(tmp_path / "series")
    np.testing.assert_array_equal(volume.array, array)
    np.testing.assert_allclose(volume.ijk_to_ras, matrix, atol=1e-5)
    assert volume.slice_thickness_mm == 3.5
    assert volume.metadata == {"modality": "MR"}
    assert describe(volume) == "MR, sagittal, 3.5 mm slices every 4.0 mm, 0.70 x 0.80 mm in plane"
    assert capfd.readouterr().err == ""


def test_slices_written_against_their_normal_come_out_in_the_same_places(tmp_path, array, matrix):
    against = matrix.copy()
    against[:3, 2] *= -1
    write_series(tmp_path, array, against)
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array, array[::-1])
    np.testing.assert_allclose(
        volume.ras_from_ijk(np.array([1, 2, 5])), (against @ [1, 2, 0, 1])[:3], atol=1e-5
    )


def test_one_file_stands_for_its_series(tmp_path, array, matrix):
    write_series(tmp_path / "a", array, matrix)
    others = write_series(tmp_path / "b", array[:, ::-1], matrix)
    for path in others:
        path.rename(tmp_path / "a" / f"other{path.name}")
    volume = read_volume(tmp_path / "a" / f"other{others[2].name}")
    np.testing.assert_array_equal(volume.array, array[:, ::-1])


def test_several_series_ask_for_a_choice_by_number(tmp_path, array, matrix):
    axial = np.diag([-0.5, -0.5, 3.0, 1.0])
    write_series(tmp_path / "one", array, matrix, SeriesNumber=4)
    write_series(tmp_path / "two", array[:4], axial, SeriesNumber=2)
    write_series(tmp_path / "scout", array[:1], axial, SeriesNumber=1)
    message = refusal(tmp_path)
    assert "2 DICOM series" in message
    assert "1: axial, 4 slices of 10 x 8 every 3.0 mm, series number 2; 2: sagittal, 6 slices of" in message
    np.testing.assert_array_equal(read_volume(tmp_path, series=1).array, array[:4])
    np.testing.assert_array_equal(read_volume(tmp_path, series=2).array, array)
    assert "no series 3: choose one of 1 to 2" in refusal(tmp_path, series=3)


def test_images_of_different_kinds_under_one_series_number_are_distinguished(tmp_path, array, matrix):
    uid = generate_uid()
    kinds = {"water": array, "fat": array[:, ::-1]}
    for kind, values in kinds.items():
        write_series(
            tmp_path / kind,
            values,
            matrix,
            SeriesInstanceUID=uid,
            ImageType=["DERIVED", "PRIMARY", kind.upper()],
        )
    assert "2 DICOM series" in refusal(tmp_path)
    found = [read_volume(tmp_path, series=n).array for n in (1, 2)]
    assert {a.tobytes() for a in found} == {v.astype(np.float32).tobytes() for v in kinds.values()}


def test_the_rescale_of_every_slice_is_its_own(tmp_path, array, matrix):
    slopes = [1.0, 2.0, 0.5, 1.0, 3.0, 1.0]
    write_series(tmp_path, array, matrix, RescaleSlope=slopes, RescaleIntercept=[0, -5, 0, 1, 0, 7])
    truth = array * np.array(slopes)[:, None, None] + np.array([0, -5, 0, 1, 0, 7])[:, None, None]
    np.testing.assert_allclose(read_volume(tmp_path).array, truth)


def test_a_multiframe_file_is_sorted_by_position(tmp_path, array, matrix):
    write_multiframe(tmp_path / "enhanced.dcm", array, matrix, [3, 0, 5, 1, 4, 2])
    volume = read_volume(tmp_path / "enhanced.dcm")
    np.testing.assert_array_equal(volume.array, array)
    np.testing.assert_allclose(volume.ijk_to_ras, matrix, atol=1e-5)
    assert volume.slice_thickness_mm == 3.5


def test_compressed_slices_are_decoded(tmp_path, array, matrix):
    for path in write_series(tmp_path, array, matrix):
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    np.testing.assert_array_equal(read_volume(tmp_path).array, array)


def test_a_missing_slice_is_named(tmp_path, array, matrix):
    write_series(tmp_path, array, matrix)[3].unlink()
    assert "slices are missing: slices 3 and 4 of 5 are 8.00 mm apart, the others 4.00 mm" in refusal(
        tmp_path
    )


def test_uneven_slices_are_refused(tmp_path, array, matrix):
    positions = [list(np.diag([-1, -1, 1]) @ (matrix @ [0, 0, k, 1])[:3]) for k in (0, 1, 2.2, 3, 4, 5)]
    write_series(tmp_path, array, matrix, ImagePositionPatient=[[f"{x:.5f}" for x in p] for p in positions])
    assert "not evenly spaced" in refusal(tmp_path)


def test_slices_that_stray_sideways_are_refused(tmp_path, array, matrix):
    positions = [list(np.diag([-1, -1, 1]) @ (matrix @ [3 * (k == 2), 0, k, 1])[:3]) for k in range(6)]
    write_series(tmp_path, array, matrix, ImagePositionPatient=[[f"{x:.5f}" for x in p] for p in positions])
    assert "straight stack" in refusal(tmp_path)


def test_two_images_at_one_position_are_refused_but_copies_are_not(tmp_path, array, matrix):
    uid = generate_uid()
    first = write_series(tmp_path / "a", array, matrix, SeriesInstanceUID=uid)
    (tmp_path / "copy").write_bytes(first[0].read_bytes())
    np.testing.assert_array_equal(read_volume(tmp_path).array, array)
    write_series(tmp_path / "b", array + 1, matrix, SeriesInstanceUID=uid)
    assert "one slice position" in refusal(tmp_path)


def test_too_few_slices_are_refused(tmp_path, array, matrix):
    write_series(tmp_path, array[:2], matrix)
    assert "too few slices in the DICOM series: 2" in refusal(tmp_path)


@pytest.mark.parametrize(("compressed", "lost"), [(False, 1), (False, 150), (True, 9), (True, 150)])
def test_a_truncated_slice_is_refused_without_a_word_from_gdcm(
    tmp_path, array, matrix, lost, compressed, capfd
):
    path = write_series(tmp_path, array, matrix)[2]
    if compressed:
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    path.write_bytes(path.read_bytes()[:-lost])
    assert "truncated" in refusal(tmp_path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("spacing", [["0", "0.7"], ["0.8", "-0.7"]])
def test_a_pixel_spacing_that_is_not_positive_is_refused(tmp_path, array, matrix, spacing):
    write_series(tmp_path, array, matrix, PixelSpacing=spacing)
    assert "Pixel Spacing is" in refusal(tmp_path)


def test_directions_that_are_none_are_refused(tmp_path, array, matrix):
    write_series(tmp_path, array, matrix, ImageOrientationPatient=["0", "0", "0", "0", "1", "0"])
    assert "cannot be used" in refusal(tmp_path)


def test_an_unknown_slice_thickness_stays_unknown(tmp_path, array, matrix):
    write_series(tmp_path, array, matrix, SliceThickness=None)
    assert read_volume(tmp_path).slice_thickness_mm is None


def test_images_without_a_place_colour_images_and_folders_without_images_are_refused(tmp_path, array, matrix):
    write_series(tmp_path / "flat", array, matrix, ImagePositionPatient=None)
    assert "no place in the patient" in refusal(tmp_path / "flat")
    colour = np.repeat(array, 3, axis=2)
    paths = write_series(
        tmp_path / "colour", colour, matrix, Columns=10, SamplesPerPixel=3, PlanarConfiguration=0
    )
    assert "colour" in refusal(tmp_path / "colour")
    assert "colour" in refusal(paths[0])
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "letter.txt").write_text(PATIENT * 50)
    assert "no DICOM image found" in refusal(tmp_path / "empty")


def test_a_constant_series_is_refused(tmp_path, array, matrix):
    write_series(tmp_path, np.full_like(array, 7), matrix)
    assert "same value" in refusal(tmp_path)
