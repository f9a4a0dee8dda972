"""A file is what its bytes say: never its name, its neighbour, or the letters in its path."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from imaging.dicom_files import write_series
from imaging.radiographs.radiograph_files import CArm, with_dark_ball, write_radiograph
from mri2mesh.errors import InputError
from mri2mesh.imaging.kind import kind_of
from mri2mesh.imaging.radiographs.masks.bone import read_bone_mask
from mri2mesh.imaging.radiographs.picked_landmarks import pixels_in_image
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.imaging.volumes.reading import read_volume

ARRAY = np.random.default_rng(5).permutation(210).reshape(5, 6, 7).astype(np.int16)
BALL = with_dark_ball(np.array([20.0, 20.0]), (40, 44))
LATIN_1 = b"J\xf6rg"
"""As names of a Windows archive come out on Linux: not UTF-8."""


def write_image(path: Path, array: np.ndarray = ARRAY) -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.8, 4.0))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def nifti(tmp_path) -> Path:
    return write_image(tmp_path / "image.nii")


@pytest.fixture
def foreign(tmp_path) -> Path:
    """A folder whose name is not UTF-8."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + LATIN_1))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    if sys.platform == "win32":
        pytest.skip("names are Unicode on Windows")
    return folder


@pytest.mark.parametrize("asked", ["A.nii", "A.nii.gz"])
def test_of_twins_each_is_its_own(tmp_path, asked):
    write_image(tmp_path / "A.nii", ARRAY + 500)
    write_image(tmp_path / "A.nii.gz", ARRAY)
    expected = ARRAY if asked.endswith(".gz") else ARRAY + 500
    np.testing.assert_array_equal(read_volume(tmp_path / asked).array, expected)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, bytes])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.dcm", "a.png", "a"])
def test_a_nifti_is_read_under_any_name_and_compression(nifti, tmp_path, compress, name):
    (tmp_path / name).write_bytes(compress(nifti.read_bytes()))
    assert kind_of(tmp_path / name) == "volume"
    np.testing.assert_array_equal(read_volume(tmp_path / name).array, ARRAY)


@pytest.mark.parametrize("ending", [".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a"])
def test_nrrd_and_metaimage_are_read_under_any_name(tmp_path, ending, name):
    write_image(tmp_path / f"image{ending}").rename(tmp_path / name)
    np.testing.assert_array_equal(read_volume(tmp_path / name).array, ARRAY)


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg", ".bmp"])
@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.jpg", "x.bmp", "x.dcm", "x.nii", "x"])
def test_a_picture_is_read_under_any_name(tmp_path, ending, name):
    sitk.WriteImage(sitk.GetImageFromArray((BALL // 12).astype(np.uint8)), str(tmp_path / f"picture{ending}"))
    (tmp_path / f"picture{ending}").rename(tmp_path / name)
    assert kind_of(tmp_path / name) == "radiographs"
    pixels = read_radiograph(tmp_path / name).pixels
    assert np.corrcoef(pixels.ravel(), BALL.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("name", ["xa.png", "xa.nii.gz", "xa.txt", "xa"])
def test_a_dicom_radiograph_is_read_under_any_name(tmp_path, name):
    path = write_radiograph(tmp_path / name, BALL, **CArm().tags())
    assert kind_of(path) == "radiographs" and read_radiograph(path).scale_known


def test_a_dicom_radiograph_without_preamble_and_file_header_is_read(tmp_path):
    whole = write_radiograph(tmp_path / "whole", BALL, **CArm().tags())
    expected = read_radiograph(whole)
    data = whole.read_bytes()
    begin = data.index(b"\x08\x00\x08\x00CS")  # Image Type, the first element of the data set
    (tmp_path / "bare").write_bytes(data[begin:])
    assert kind_of(tmp_path / "bare") == "radiographs"
    np.testing.assert_array_equal(read_radiograph(tmp_path / "bare").pixels, expected.pixels)


@pytest.mark.parametrize(("beginning", "words"), [
    (b"PK\x03\x04", "ZIP archive: unpack"), (b"Rar!\x1a\x07", "RAR archive"), (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"GIF89a", "GIF picture"), (b"%PDF-1.7", "PDF document"), (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"), (b"\x89HDF\r\n", "HDF5"), (b"\xff\xfeN\0D\0i\0m\0s\0", "UTF-16"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
])  # fmt: skip
def test_what_is_not_read_is_called_by_its_name(tmp_path, beginning, words):
    (tmp_path / "image.nii.gz").write_bytes(beginning + bytes(400))
    for read in (read_volume, read_radiograph):
        with pytest.raises(InputError, match=words):
            read(tmp_path / "image.nii.gz")


def test_an_archive_and_a_compressed_nrrd_say_what_to_do(nifti, tmp_path):
    with zipfile.ZipFile(tmp_path / "image.zip", "w") as archive:
        archive.write(nifti)
    with pytest.raises(InputError, match="ZIP archive"):
        read_volume(tmp_path / "image.zip")
    (tmp_path / "a.nrrd.gz").write_bytes(gzip.compress(write_image(tmp_path / "a.nrrd").read_bytes()))
    with pytest.raises(InputError, match="compressed with gzip: decompress it"):
        read_volume(tmp_path / "a.nrrd.gz")
    shutil.make_archive(str(tmp_path / "b"), "tar", tmp_path, "image.nii")
    with pytest.raises(InputError, match="TAR archive"):
        read_volume(tmp_path / "b.tar")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_volume_in_a_folder_that_is_not_utf8_is_read(tmp_path, foreign, ending):
    write_image(tmp_path / f"image{ending}").rename(foreign / f"image{ending}")
    np.testing.assert_array_equal(read_volume(foreign / f"image{ending}").array, ARRAY)


def test_a_detached_volume_in_such_a_folder_is_read_and_one_file_per_slice_refused(tmp_path, foreign):
    write_image(tmp_path / "image.mhd")
    for name in ("image.mhd", "image.raw"):
        (tmp_path / name).rename(foreign / name)
    np.testing.assert_array_equal(read_volume(foreign / "image.mhd").array, ARRAY)
    listed = (foreign / "image.mhd").read_text().replace("image.raw", "slice%d.raw 0 4 1")
    (foreign / "image.mhd").write_text(listed)
    with pytest.raises(InputError, match="not UTF-8: rename"):
        read_volume(foreign / "image.mhd")


def test_dicom_in_such_a_folder_is_read(tmp_path, foreign):
    values = ARRAY.astype(np.uint16)
    write_series(foreign / "series", values, np.diag([0.7, 0.8, 4.0, 1.0]))
    np.testing.assert_array_equal(read_volume(foreign / "series").array, values)
    path = write_radiograph(foreign / "xa", BALL)
    assert read_radiograph(path).pixels.shape == BALL.shape


def test_pictures_masks_and_landmarks_in_such_a_folder_are_read(tmp_path, foreign):
    sitk.WriteImage(sitk.GetImageFromArray(BALL), str(tmp_path / "x.png"))
    path = Path(shutil.copy(tmp_path / "x.png", foreign / "x.png"))
    assert read_radiograph(path).pixels.shape == BALL.shape
    assert pixels_in_image({"top": (-3.0, -4.0, 0.0)}, path) == {"top": (3.0, 4.0)}
    sitk.WriteImage(sitk.GetImageFromArray((BALL < 2000).astype(np.uint8)), str(tmp_path / "mask.png"))
    mask = Path(shutil.copy(tmp_path / "mask.png", foreign / "mask.png"))
    np.testing.assert_array_equal(read_bone_mask(mask, BALL.shape), BALL < 2000)


@pytest.mark.parametrize("read", [read_volume, read_radiograph])
def test_a_zero_byte_in_a_path_and_a_device_are_refused(read):
    with pytest.raises(InputError, match="no such file"):
        read("image\0.nii")
    if Path("/dev/zero").exists():
        with pytest.raises(InputError, match="neither a file nor a folder"):
            read("/dev/zero")


@pytest.mark.parametrize("form", [nibabel.Nifti2Image, nibabel.AnalyzeImage])
def test_the_other_forms_of_nifti_say_what_to_do(tmp_path, form):
    name = "a.nii" if form is nibabel.Nifti2Image else "a.hdr"
    nibabel.save(form(ARRAY.T, np.eye(4)), tmp_path / name)
    with pytest.raises(InputError, match=r"save (the image )?as"):
        read_volume(tmp_path / name)
