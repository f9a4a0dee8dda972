"""The silhouette of a bone, drawn by hand or by another program, from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.imaging.files import beginning_of, content_of, openable
from mri2mesh.imaging.itk import quiet
from mri2mesh.imaging.radiographs.bitmap import read_bitmap
from mri2mesh.imaging.radiographs.picture import LARGEST_PIXELS


def read_bone_mask(path: str | Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    """[rows, columns]; True in the bone, where a picture or a label map of one slice is not zero.

    size: (rows, columns) of the radiograph that it belongs to. Raises InputError for a file that is missing or no
    image, has another size, or has no outline.
    """
    try:
        pixels = _pixels(Path(path))
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError(
            "the mask of the bone cannot be read: give a picture or a label map of the radiograph's size"
        ) from error
    while pixels.ndim > 2 and pixels.shape[0] == 1:
        pixels = pixels[0]
    if (
        pixels.ndim == 3 and pixels.shape[:2] == size
    ):  # colours, with opacity last where there are two or four
        pixels = pixels[..., : pixels.shape[2] - (pixels.shape[2] in (2, 4))].max(axis=2)
    if pixels.shape != size:
        shape = " x ".join(map(str, pixels.shape))
        raise InputError(
            f"the mask of the bone has {shape} pixels and its radiograph {size[0]} x {size[1]}: give one mask per "
            "image, in their order"
        )
    mask = pixels > 0
    if mask.all() or not mask.any():
        raise InputError("the mask of the bone is empty or covers the whole image: it has no outline")
    return np.asarray(mask)


def _pixels(path: Path) -> NDArray:
    """[rows, columns], with channels last or a slice first. Raises RuntimeError or OSError for what is no image."""
    if content_of(beginning_of(path)) == "bmp":
        return read_bitmap(path, LARGEST_PIXELS)
    with openable(path) as plain, quiet():
        return sitk.GetArrayFromImage(sitk.ReadImage(plain))
