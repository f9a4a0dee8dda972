"""Grey pictures of 16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError


def write_png(image: NDArray, path: Path) -> None:
    """[H, W] stretched from its least to its largest value over 0 to 65535. Raises InputError for one that has no
    contrast or values that are not finite."""
    image = np.asarray(image, dtype=np.float64)
    if image.ndim != 2 or not np.isfinite(image).all() or np.ptp(image) == 0:
        raise InputError(f"{path.name}: an image must be [rows, columns] of finite values that differ")
    grey = np.rint((image - image.min()) / np.ptp(image) * 65535).astype(np.uint16)
    with whole_file(path) as temporary:
        sitk.WriteImage(sitk.GetImageFromArray(grey), str(temporary))
