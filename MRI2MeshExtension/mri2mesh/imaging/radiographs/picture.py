"""A radiograph stored as a picture: PNG, TIFF, JPEG or BMP, 8 or 16 bit, grey."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.imaging.files import PICTURES, Content, beginning_of, content_of, under_a_plain_name
from mri2mesh.imaging.itk import quiet
from mri2mesh.imaging.radiographs.bitmap import DAMAGED, read_bitmap
from mri2mesh.imaging.radiographs.picture_tags import ORIENTATION, PHOTOMETRIC, shown_tags

LARGEST_PIXELS = 1 << 28
"""Sixteen thousand squared: ten times the pixels of the finest film scanner."""
COLOURED = 0.03
"""Difference between the channels of a grey pixel, of the full scale, that JPEG compression may leave."""
COLOURED_MARKS = 0.02
"""Share of the pixels that may be coloured marks on a grey picture; more makes it a colour photograph."""


def read_picture(path: Path) -> tuple[NDArray, NDArray[np.bool_]]:
    """[rows, columns] grey values as stored, and where coloured marks cover them.

    A grey picture stored as red, green and blue, with opacity or without, is accepted. Raises InputError for a colour
    photograph, several pages, a damaged file, values that are not finite, or only one value.
    """
    content = content_of(beginning_of(path))
    tags = shown_tags(path, content)
    if tags.get(ORIENTATION, 1) != 1:
        raise InputError(
            "the picture is stored turned or mirrored, with a note to viewers (its orientation tag) that not every "
            "program heeds: open it in a viewer and save it again, or remove the tag"
        )
    channels = read_bitmap(path, LARGEST_PIXELS) if content == "bmp" else _read_with_itk(path, content)
    if content == "tiff" and channels.shape[2] <= 2 and tags.get(PHOTOMETRIC) == 0:  # zero is white
        channels = channels.max() - channels
    if not np.isfinite(channels).all():
        raise InputError("the picture has values that are not numbers (NaN or infinite): correct it first")
    grey, marks = _grey(channels)
    if grey.min() == grey.max():
        raise InputError("every pixel of the picture has the same value: there is nothing to see in it")
    return grey, marks


def _read_with_itk(path: Path, content: Content) -> NDArray:
    """[rows, columns, channels]."""
    ending, reader_name = PICTURES[content]
    reader = sitk.ImageFileReader()
    reader.SetImageIO(reader_name)
    try:
        with under_a_plain_name(path, ending) as plain, quiet():
            reader.SetFileName(plain)
            reader.ReadImageInformation()
            columns, rows, *pages = reader.GetSize()
            _check_size(rows, columns, pages)
            channels = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        if "Unknown PixelType" in str(error):  # two numbers per pixel, which SimpleITK has no type for
            raise InputError(
                "the picture has opacity beside its grey values: save it without (no alpha)"
            ) from error
        raise InputError(DAMAGED) from error
    return channels.reshape(rows, columns, -1)


def _check_size(rows: int, columns: int, pages: Sequence[int]) -> None:
    """Raises InputError for several pages, for no pixels, and for more than any radiograph has."""
    several = [size for size in pages if size != 1]
    if several:
        raise InputError(f"the picture has {several[0]} pages: save one as a picture of its own")
    if rows < 1 or columns < 1:
        raise InputError(DAMAGED)
    if rows * columns > LARGEST_PIXELS:
        raise InputError(
            f"the picture claims to have {columns} x {rows} pixels, more than any radiograph: make it smaller"
        )


def _grey(channels: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """[rows, columns] from [rows, columns, channels]: grey, grey and opacity, RGB, or RGB and opacity."""
    colours = channels[..., :3] if channels.shape[2] >= 3 else channels[..., :1]
    full = float(np.iinfo(colours.dtype).max) if np.issubdtype(colours.dtype, np.integer) else np.ptp(colours)
    spread = colours.max(axis=2).astype(np.float64) - colours.min(axis=2)
    marks = spread > COLOURED * full
    if marks.mean() > COLOURED_MARKS:
        raise InputError("the picture is a colour photograph: give the grey-scale radiograph itself")
    return colours[..., 0], marks
