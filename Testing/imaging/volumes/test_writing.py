"""Volumes written to files, opened again by this library and by another one."""

from __future__ import annotations

import os

import nibabel
import numpy as np
import pytest

from imaging.ramps import oblique_matrix
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.imaging.volumes.writing import write_volume

OBLIQUE = oblique_matrix((0.7, 0.8, 4.0), (10, -20, 30))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("number_type", [np.uint8, np.int16, np.int32, np.float32, bool])
@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_written_is_read_back_in_place(tmp_path, ending, number_type, mirrored):
    matrix = OBLIQUE @ np.diag([1, 1, -1 if mirrored else 1, 1])
    array = (
        np.random.default_rng(10)
        .integers(0, 2 if number_type is bool else 200, (4, 5, 6))
        .astype(number_type)
    )
    path = write_volume(Volume(array, matrix, 3.0, {"modality": "MR"}), tmp_path / f"image{ending}")
    back = read_volume(path)
    np.testing.assert_array_equal(back.array, array)
    assert back.array.dtype == (np.uint8 if number_type is bool else number_type)
    np.testing.assert_allclose(back.ijk_to_ras, matrix, atol=2e-5)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(("ending", "kept"), [(".nrrd", True), (".nii", False), (".mha", False)])
@pytest.mark.parametrize("compress", [False, True])
def test_the_modality_goes_with_an_nrrd_and_nothing_else_does(tmp_path, ending, kept, compress):
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    secret = {"modality": "CT", "kind": "Doe", "orientation": "Doe"}
    path = write_volume(Volume(array, OBLIQUE, None, secret), tmp_path / f"a{ending}", compress=compress)
    assert read_volume(path).metadata == ({"modality": "CT"} if kept else {})
    assert b"Doe" not in path.read_bytes()
    write_volume(Volume(array, OBLIQUE, None, {"modality": "Doe John"}), tmp_path / "b.nrrd")
    assert b"Doe" not in (tmp_path / "b.nrrd").read_bytes()


def test_nibabel_finds_every_voxel_in_the_same_place(tmp_path):
    array = np.random.default_rng(11).random((4, 5, 6)).astype(np.float32)
    other = nibabel.load(write_volume(Volume(array, OBLIQUE), tmp_path / "image.nii.gz"))
    np.testing.assert_allclose(other.affine, OBLIQUE, atol=2e-5)
    np.testing.assert_array_equal(np.asarray(other.dataobj).T, array)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    volume = Volume(np.zeros((3, 3, 3), np.uint8), np.eye(4))
    with pytest.raises(InputError, match="cannot be written"):
        write_volume(volume, tmp_path / "absent" / "image.nii.gz")
    (tmp_path / "image.nii").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_volume(volume, tmp_path / "image.nii")
    with pytest.raises(InputError, match="change the name"):
        write_volume(volume, tmp_path / "image.png")
    sheared = np.eye(4)
    sheared[0, 1] = 0.5
    with pytest.raises(InputError, match="sheared"):
        write_volume(Volume(volume.array, sheared), tmp_path / "sheared.nii.gz")
    assert os.listdir(tmp_path) == ["image.nii"]


def test_a_file_is_replaced_only_by_a_whole_one(tmp_path):
    path = tmp_path / "image.nrrd"
    path.write_text("the one before")
    write_volume(Volume(np.arange(27, dtype=np.uint8).reshape(3, 3, 3), np.eye(4)), path)
    assert read_volume(path).array[2, 2, 2] == 26
    with pytest.raises(InputError):
        write_volume(
            Volume(np.zeros((3, 3, 3), np.uint8), np.diag([1, 1, 1, 1]) + np.eye(4, k=1) * 0.5), path
        )
    assert read_volume(path).array[2, 2, 2] == 26
