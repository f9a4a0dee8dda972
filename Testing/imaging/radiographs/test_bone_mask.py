"""Silhouettes of bones from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.masks.bone import read_bone_mask

INSIDE = np.zeros((40, 60), bool)
INSIDE[5:20, 30:50] = True


def write(path: Path, pixels: np.ndarray, vector: bool = False) -> Path:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(pixels, isVector=vector), str(path))
    return path


@pytest.mark.parametrize("name", ["mask.png", "mask.tif", "mask.nrrd", "mask.nii.gz"])
@pytest.mark.parametrize("value", [1, 255])
def test_what_is_not_zero_is_bone(tmp_path, name, value):
    path = write(tmp_path / name, value * INSIDE.astype(np.uint8))
    np.testing.assert_array_equal(read_bone_mask(path, INSIDE.shape), INSIDE)


def test_a_label_map_of_one_slice_and_a_coloured_picture_are_masks_too(tmp_path):
    path = write(tmp_path / "slice.nrrd", INSIDE[None].astype(np.uint8))
    np.testing.assert_array_equal(read_bone_mask(path, INSIDE.shape), INSIDE)
    colours = np.zeros((*INSIDE.shape, 4), np.uint8)
    colours[..., 3] = 255  # opaque everywhere
    colours[INSIDE, 1] = 200
    path = write(tmp_path / "drawn.png", colours, vector=True)
    np.testing.assert_array_equal(read_bone_mask(path, INSIDE.shape), INSIDE)


def test_a_mask_that_cannot_be_used_is_refused(tmp_path):
    for pixels, words in (
        (np.zeros((40, 60)), "no outline"),
        (np.ones((40, 60)), "no outline"),
        (np.eye(30), "30 x 30 pixels and its radiograph 40 x 60"),
    ):
        path = write(tmp_path / "mask.png", pixels.astype(np.uint8))
        with pytest.raises(InputError, match=words):
            read_bone_mask(path, (40, 60))
    (tmp_path / "text.png").write_text("no picture")
    for path in (tmp_path / "text.png", tmp_path / "none.png"):
        with pytest.raises(InputError, match="cannot be read"):
            read_bone_mask(path, (40, 60))
