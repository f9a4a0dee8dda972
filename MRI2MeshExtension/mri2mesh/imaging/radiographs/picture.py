"""A radiograph stored as a picture: PNG, TIFF, JPEG or BMP, 8 or 16 bit, grey."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.imaging.itk import quiet

READERS = {
    ".png": "PNGImageIO",
    ".tif": "TIFFImageIO",
    ".tiff": "TIFFImageIO",
    ".jpg": "JPEGImageIO",
    ".jpeg": "JPEGImageIO",
    ".bmp": "BMPImageIO",
}
"""Ending of the name to the ITK class that reads the pixels."""
COLOURED = 0.03
"""Difference between the channels of a grey pixel, of the full scale, that JPEG compression may leave."""
COLOURED_MARKS = 0.02
"""Share of the pixels that may be coloured marks on a grey picture; more makes it a colour photograph."""


def read_picture(path: Path) -> tuple[NDArray, NDArray[np.bool_]]:
    """[rows, columns] grey values as stored, and where coloured marks cover them.

    A grey picture stored with three equal channels (and opacity) is accepted. Raises InputError for a colour
    photograph, several pages, a damaged file, values that are not finite, or only one value.
    """
    try:
        with quiet():
            image = sitk.ReadImage(str(path), imageIO=READERS[path.suffix.lower()])
    except RuntimeError as error:
        raise InputError("the picture is truncated or damaged: copy or export it again") from error
    pages = [size for size in image.GetSize()[2:] if size != 1]
    if pages:
        raise InputError(f"the picture has {pages[0]} pages: save one as a picture of its own")
    channels = sitk.GetArrayFromImage(image)
    channels = channels.reshape(image.GetSize()[1], image.GetSize()[0], -1)
    if not np.isfinite(channels).all():
        raise InputError("the picture has values that are not numbers (NaN or infinite): correct it first")
    grey, marks = _grey(channels)
    if grey.min() == grey.max():
        raise InputError("every pixel of the picture has the same value: there is nothing to see in it")
    return grey, marks


def _grey(channels: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """[rows, columns] from [rows, columns, channels]: grey, grey and opacity, RGB, or RGB and opacity."""
    colours = channels[..., :3] if channels.shape[2] >= 3 else channels[..., :1]
    full = float(np.iinfo(colours.dtype).max) if np.issubdtype(colours.dtype, np.integer) else np.ptp(colours)
    spread = colours.max(axis=2).astype(np.float64) - colours.min(axis=2)
    marks = spread > COLOURED * full
    if marks.mean() > COLOURED_MARKS:
        raise InputError("the picture is a colour photograph: give the grey-scale radiograph itself")
    return colours[..., 0], marks
