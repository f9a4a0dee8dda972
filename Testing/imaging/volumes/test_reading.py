"""NIfTI, NRRD and MetaImage files: right places for good files, one clear line for bad ones."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.reading import read_volume

SHAPE_IJK = (6, 7, 5)
FILE_ENDINGS = [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".nhdr"]


@pytest.fixture
def array_ijk() -> np.ndarray:
    """[I, J, K], every voxel different, so that no flip or transpose goes unseen."""
    return np.random.default_rng(5).permutation(np.prod(SHAPE_IJK)).reshape(SHAPE_IJK).astype(np.int16)


@pytest.fixture
def nifti(tmp_path, array_ijk, sagittal_matrix) -> Path:
    """A good oblique NIfTI file, written by nibabel."""
    path = tmp_path / "image.nii"
    image = nibabel.Nifti1Image(array_ijk, sagittal_matrix)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@pytest.fixture
def good_file(tmp_path, array_ijk) -> Callable[[str], Path]:
    """Writes the array with spacing 0.7, 0.8, 4 in any format."""

    def write(ending: str) -> Path:
        image = sitk.GetImageFromArray(array_ijk.T)
        image.SetSpacing((0.7, 0.8, 4.0))
        path = tmp_path / f"image{ending}"
        sitk.WriteImage(image, str(path), useCompression=ending in (".nii.gz", ".nrrd", ".mha"))
        return path

    return write


def poke(path: Path, offset: int, format_: str, *values: float) -> Path:
    """Overwrites part of a binary header."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<" + format_, data, offset, *values)
    path.write_bytes(data)
    return path


def refusal(path: Path) -> str:
    """The line a user would see; never the name of the file."""
    with pytest.raises(InputError) as caught:
        read_volume(path)
    message = str(caught.value)
    assert "\n" not in message and path.name not in message and str(path.parent) not in message
    return message


def test_an_oblique_nifti_has_every_voxel_where_nibabel_has_it(nifti, array_ijk, sagittal_matrix):
    volume = read_volume(nifti)
    np.testing.assert_array_equal(volume.array, array_ijk.T)
    np.testing.assert_allclose(volume.ijk_to_ras, sagittal_matrix, atol=1e-4)
    assert volume.array.dtype == np.int16 and volume.slice_thickness_mm is None and volume.metadata == {}


def test_nifti_scaling_left_handed_axes_and_a_fourth_axis_of_one_are_understood(tmp_path, array_ijk):
    matrix = np.diag([-0.7, 0.8, 4.0, 1.0])
    image = nibabel.Nifti1Image(array_ijk[..., None], matrix)
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / "scaled.nii.gz")
    volume = read_volume(tmp_path / "scaled.nii.gz")
    np.testing.assert_allclose(volume.ijk_to_ras, matrix, atol=1e-5)
    np.testing.assert_allclose(volume.array, nibabel.load(tmp_path / "scaled.nii.gz").get_fdata()[..., 0].T)
    assert volume.array.dtype == np.float32


def test_a_big_endian_nifti_is_understood(tmp_path, array_ijk, sagittal_matrix):
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nibabel.save(nibabel.Nifti1Image(array_ijk.astype(">i2"), sagittal_matrix, header), tmp_path / "big.nii")
    np.testing.assert_array_equal(read_volume(tmp_path / "big.nii").array, array_ijk.T)


@pytest.mark.parametrize(
    ("space", "signs"), [("right-anterior-superior", (1, 1, 1)), ("left-posterior-superior", (-1, -1, 1))]
)
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_an_nrrd_is_placed_by_its_own_space(tmp_path, array_ijk, sagittal_matrix, space, signs, encoding):
    columns = (sagittal_matrix[:3] * np.array(signs)[:, None]).T
    vectors = ["(" + ",".join(f"{value:.9f}" for value in column) + ")" for column in columns]
    header = (
        f"NRRD0004\ntype: short\ndimension: 3\nspace: {space}\nsizes: 6 7 5\n"
        f"space directions: {' '.join(vectors[:3])}\nspace origin: {vectors[3]}\n"
        f"kinds: domain domain domain\nendian: little\nencoding: {encoding}\n\n"
    )
    data = array_ijk.T.astype("<i2").tobytes()
    path = tmp_path / "image.nrrd"
    path.write_bytes(header.encode() + (gzip.compress(data) if encoding == "gzip" else data))
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.array, array_ijk.T)
    np.testing.assert_allclose(volume.ijk_to_ras, sagittal_matrix, atol=1e-6)


@pytest.mark.parametrize("ending", FILE_ENDINGS)
def test_every_format_gives_the_same_volume(good_file, array_ijk, ending):
    volume = read_volume(good_file(ending))
    np.testing.assert_array_equal(volume.array, array_ijk.T)
    np.testing.assert_allclose(volume.ijk_to_ras, np.diag([-0.7, -0.8, 4.0, 1.0]), atol=1e-6)


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.97])
@pytest.mark.parametrize("ending", FILE_ENDINGS)
def test_a_truncated_file_is_refused_and_nothing_is_printed(good_file, ending, kept, capfd):
    path = good_file(ending)
    data_file = {".mhd": ".raw", ".nhdr": ".raw"}.get(ending)
    cut = path.with_suffix(data_file) if data_file else path
    whole = cut.read_bytes()
    cut.write_bytes(whole[: int(kept * len(whole))])
    assert any(word in refusal(path) for word in ("truncated", "damaged", "spacing", "not a"))
    printed = capfd.readouterr()
    assert printed.out == "" and printed.err == ""


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_even_the_last_bytes_are_missed(good_file, ending):
    path = good_file(ending)
    path.write_bytes(path.read_bytes()[:-1])
    assert "truncated" in refusal(path)


def test_a_damaged_compressed_file_is_refused(good_file, capfd):
    path = good_file(".nii.gz")
    data = bytearray(path.read_bytes())
    middle = len(data) * 3 // 4
    data[middle : middle + 8] = bytes(8)
    path.write_bytes(data)
    assert "damaged" in refusal(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("ending", [".mhd", ".nhdr"])
def test_a_header_without_its_data_file_is_refused(good_file, ending):
    path = good_file(ending)
    path.with_suffix(".raw").unlink()
    assert "data file" in refusal(path)


def test_a_missing_an_empty_and_a_foreign_file_are_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / "Doe_Jane.nii.gz")
    (tmp_path / "empty.nii").touch()
    assert "empty" in refusal(tmp_path / "empty.nii")
    (tmp_path / "notes.txt").write_text("a letter to the surgeon " * 100)
    assert "not an image" in refusal(tmp_path / "notes.txt")
    for ending in FILE_ENDINGS:
        (tmp_path / f"letter{ending}").write_text("a letter to the surgeon\n" * 100)
        refusal(tmp_path / f"letter{ending}")
    (tmp_path / "letter.nii.gz").write_bytes(gzip.compress(b"a letter to the surgeon\n" * 100))
    assert "not an image" in refusal(tmp_path / "letter.nii.gz")
    sitk.WriteImage(sitk.Image(20, 20, sitk.sitkUInt8), str(tmp_path / "picture.png"))
    assert "a picture, not an image volume" in refusal(tmp_path / "picture.png")


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1)])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_2d_image_is_refused(tmp_path, shape, ending):
    path = tmp_path / f"image{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(600, dtype=np.int16).reshape(shape[::-1])), str(path))
    assert "2D" in refusal(path)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_4d_image_is_refused(tmp_path, ending):
    path = tmp_path / f"image{ending}"
    values = np.random.default_rng(6).integers(0, 99, (4, 5, 6, 7)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=False), str(path))
    assert "4D (4 volumes" in refusal(path)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_colour_image_is_refused(tmp_path, ending):
    path = tmp_path / f"image{ending}"
    values = np.random.default_rng(7).integers(0, 99, (5, 6, 7, 3)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=True), str(path))
    assert "colour" in refusal(path)


def test_too_few_slices_are_refused(tmp_path):
    nibabel.save(
        nibabel.Nifti1Image(np.arange(84, dtype=np.int16).reshape(6, 7, 2), np.eye(4)), tmp_path / "a.nii"
    )
    assert "too few slices: 2" in refusal(tmp_path / "a.nii")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_values_that_are_not_numbers_are_refused(tmp_path, bad, ending):
    values = np.random.default_rng(8).random((5, 6, 7)).astype(np.float32)
    values[2, 3, 4] = bad
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / f"a{ending}"))
    assert "1 values that are not numbers" in refusal(tmp_path / f"a{ending}")


def test_an_image_of_one_value_is_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.full((5, 6, 7), 12, dtype=np.int16), np.eye(4)), tmp_path / "a.nii")
    assert "same value" in refusal(tmp_path / "a.nii")


@pytest.mark.parametrize("spacing", [0.0, -4.0, np.nan, np.inf])
def test_a_nifti_spacing_that_is_not_positive_is_refused(nifti, spacing):
    poke(nifti, 76 + 3 * 4, "f", spacing)
    assert "spacing" in refusal(nifti)


def test_a_nifti_with_two_different_spacings_is_refused(nifti):
    poke(nifti, 76 + 3 * 4, "f", 5.0)
    assert "two voxel spacings, 5 and 4 mm" in refusal(nifti)


def test_a_nifti_whose_sform_squashes_an_axis_is_refused(nifti):
    for row in range(3):
        poke(nifti, 280 + 16 * row + 8, "f", 0)
    assert "spacing in the file is 0 mm" in refusal(nifti)


def test_a_nifti_pair_and_a_nifti_2_are_refused(nifti, tmp_path, array_ijk):
    poke(nifti, 344, "4s", b"ni1\0")
    assert "two files" in refusal(nifti)
    nibabel.save(nibabel.Nifti2Image(array_ijk, np.eye(4)), tmp_path / "two.nii.gz")
    assert "NIfTI-2" in refusal(tmp_path / "two.nii.gz")


def test_a_nifti_that_does_not_say_how_it_lies_is_marked(nifti):
    poke(nifti, 252, "2h", 0, 0)
    assert read_volume(nifti).metadata["orientation"] == "unknown"


def edited(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    return path


@pytest.mark.parametrize("last", ["(0,0,0)", "(0,0,nan)", "(0,0,inf)"])
def test_an_nrrd_spacing_that_is_not_positive_is_refused(good_file, last):
    assert "spacing" in refusal(edited(good_file(".nhdr"), b"(0,0,4)", last.encode()))


def test_nrrd_spacings_without_a_space_are_read_or_refused(good_file):
    path = edited(
        good_file(".nhdr"),
        b"space directions: (0.69999999999999996,0,0) (0,0.80000000000000004,0) (0,0,4)",
        b"spacings: 0.7 0.8 4",
    )
    edited(path, b"space: left-posterior-superior\n", b"")
    edited(path, b"space origin: (0,0,0)\n", b"")
    volume = read_volume(path)
    np.testing.assert_allclose(volume.spacing, [0.7, 0.8, 4])
    assert volume.metadata["orientation"] == "unknown"
    for spacings in (b"0.7 0.8 -4", b"0.7 0.8 0", b"0.7 0.8 nan"):
        bad = path.with_name("bad.nhdr")
        bad.write_bytes(path.read_bytes().replace(b"0.7 0.8 4", spacings))
        assert "spacing" in refusal(bad)
    bad.write_bytes(path.read_bytes().replace(b"spacings: 0.7 0.8 4\n", b""))
    assert "no voxel spacing" in refusal(bad)


@pytest.mark.parametrize("spacing", [b"0.7 0.8 0", b"0.7 -0.8 4", b"0.7 nan 4"])
def test_a_metaimage_spacing_that_is_not_positive_is_refused(good_file, spacing):
    path = good_file(".mhd")
    old = next(line for line in path.read_bytes().split(b"\n") if line.startswith(b"ElementSpacing"))
    assert "spacing" in refusal(edited(path, old, b"ElementSpacing = " + spacing))


def test_axes_that_are_not_perpendicular_are_refused_without_a_word_from_itk(tmp_path, array_ijk, capfd):
    matrix = np.diag([1.0, 1.0, 4.0, 1.0])
    matrix[0, 1] = 0.6
    matrix[1, 1] = 0.8
    image = nibabel.Nifti1Image(array_ijk, matrix)
    image.set_qform(None)
    nibabel.save(image, tmp_path / "sheared.nii")
    assert "perpendicular" in refusal(tmp_path / "sheared.nii")
    assert capfd.readouterr().err == ""
