"""What an image of a patient can measure; what cannot be one is refused before anything slow is done."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError

LEAST_SPACING_MM, LARGEST_SPACING_MM = 0.01, 100.0
"""Between voxels: micro-CT of a specimen has 0.02 mm, the slices of a localiser lie 20 to 50 mm apart."""
LARGEST_EXTENT_MM = 3000.0
"""Longer than any table moves."""
FARTHEST_MM = 100_000.0
"""Of the first voxel from the origin of the patient's coordinates."""
LARGEST_VOXELS = 1 << 31
"""A scan of the whole body has a quarter of this."""
LARGEST_DIRECTION = 1e6
"""Of one number in a matrix of directions, or of directions times spacings."""
UNIT = "is the unit millimetres? correct the file or export it again"
FAR_AWAY = f"the image lies more than {FARTHEST_MM / 1000:.0f} m from its own origin: {UNIT}"


def check_size(sizes: Sequence[int], spacings_mm: Sequence[float]) -> None:
    """Raises InputError for a number of voxels, a spacing or an extent that no patient's image has.

    sizes, spacings_mm: of the axes in space. Spacings that are not positive are for the caller to refuse.
    """
    voxels = math.prod(sizes)
    if voxels > LARGEST_VOXELS:
        shape = " x ".join(str(size) if size < 1e15 else "(endless)" for size in sizes)
        raise InputError(
            f"the image claims to have {shape} voxels, more than can be read: crop or resample it"
        )
    for size, spacing in zip(sizes, spacings_mm, strict=False):
        if not LEAST_SPACING_MM <= spacing <= LARGEST_SPACING_MM:
            raise InputError(f"a voxel spacing of {spacing:g} mm cannot be that of a patient's image: {UNIT}")
        if size * spacing > LARGEST_EXTENT_MM:
            raise InputError(f"an image of {size * spacing:.0f} mm cannot be that of a patient: {UNIT}")


def check_numbers(directions: Sequence[float], origin_mm: Sequence[float]) -> None:
    """Raises InputError for numbers of a header with which no geometry can be computed; ITK never ends for some."""
    if not all(math.isfinite(value) and abs(value) <= LARGEST_DIRECTION for value in directions):
        raise InputError(
            "the directions of the image's axes in the file cannot be: correct it or export it again"
        )
    if not all(math.isfinite(value) and abs(value) <= FARTHEST_MM for value in origin_mm):
        raise InputError(FAR_AWAY)


def check_place(ijk_to_ras: NDArray) -> None:
    """Raises InputError for an image that lies farther away than any patient."""
    if np.abs(ijk_to_ras[:3, 3]).max() > FARTHEST_MM:
        raise InputError(FAR_AWAY)
