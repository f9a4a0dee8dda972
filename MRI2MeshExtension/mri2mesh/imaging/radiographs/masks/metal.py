"""Metal in a radiograph: instruments, implants, guide wires, clips.

Bone and skin thin out towards their edges, metal stops. Over 1 mm at the edge of a femoral shaft the beam
keeps more than 0.6 of its intensity, at the skin of a thigh more than 0.5; behind the edge of a 2.5 mm steel
wire 0.2. So metal is a dark part of the picture, at whatever level, most of whose rim is such a step; thin wires,
which scatter fills up, are dark lines with a step on both sides, where a cortex has one on the outside only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.imaging.radiographs.masks.working_size import WORKING_SIZE, grow, shrink

LEVELS = np.geomspace(0.1, 1.0, 10)
"""Thresholds as fractions of the median in the field."""
STEP, WIRE_STEP = 0.5, 0.3
"""Logarithm of the ratio across a rim: to 0.6 of the intensity for metal, to three quarters for a thin wire."""
SHARP_RIM, WIRE_SHARP_RIM = 0.5, 0.8
"""Share of the rim that must be such a step."""
FLOOR = 0.1
"""Fraction of the median in the field that is added before the logarithm: far below it there is only noise and
scatter."""
WIRE_DEPTH = 0.2
"""Depth of a thin dark line relative to what is beside it."""
LARGEST = 0.15
"""Largest fraction of the field: more than this is not an instrument but the patient."""


def metal_mask(transmission: NDArray, field: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[rows, columns]; True at metal and a little around it.

    transmission: [rows, columns] in 0..1. field: True where the beam was not blocked by the machine.
    """
    small, step = shrink(transmission)
    mask = _metal(small, shrink(field)[0] > 0.5)
    return grow(mask, step, field.shape) & field


def _metal(transmission: NDArray[np.float32], field: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not field.any():
        return field
    unit = max(transmission.shape) / WORKING_SIZE
    # Outside the field stands what is nearest inside it: its border is then no step.
    _, (row, column) = ndimage.distance_transform_edt(~field, return_indices=True)
    smooth = ndimage.gaussian_filter(transmission[row, column], unit)
    smooth /= max(float(np.median(smooth[field])), 1e-6)
    steps = _steps(smooth, 2 * unit)
    metal = _wires(smooth, steps, field, unit)
    for level in LEVELS:
        dark = (smooth < level) & field
        metal |= _with_sharp_rims(dark, steps > STEP, field, SHARP_RIM, (30 * unit**2, LARGEST * field.sum()))
    return ndimage.binary_dilation(metal, iterations=max(1, round(3 * unit))) & field


def _steps(smooth: NDArray, width: float) -> NDArray:
    """The logarithmic step across each pixel, the largest within two pixels."""
    slope = ndimage.gaussian_gradient_magnitude(np.log(smooth + FLOOR), width)
    # The slope of a step of height 1, smoothed to this width, is 1 / (width sqrt(2 pi)).
    return ndimage.maximum_filter(slope * width * np.sqrt(2 * np.pi), 2 * round(width) + 1)


def _with_sharp_rims(
    parts: NDArray[np.bool_],
    sharp: NDArray[np.bool_],
    field: NDArray[np.bool_],
    share: float,
    areas: tuple[float, float],
) -> NDArray[np.bool_]:
    """Those connected parts, of an area between two, whose rim inside the field is sharp to that share."""
    labels, count = ndimage.label(parts, np.ones((3, 3)))
    size = np.bincount(labels.ravel(), minlength=count + 1)
    # where it is cut by the border of the field nothing is known of a rim: that much of it counts as not sharp
    rim = parts & ~ndimage.binary_erosion(parts)
    rims = np.bincount(labels[rim], minlength=count + 1)
    sharp = sharp & ndimage.binary_erosion(field, iterations=3)
    sharps = np.bincount(labels[rim & sharp], minlength=count + 1)
    good = (sharps >= share * rims) & (rims > 0) & (size >= areas[0]) & (size <= areas[1])
    good[0] = False
    return good[labels]


def _wires(smooth: NDArray, steps: NDArray, field: NDArray[np.bool_], unit: float) -> NDArray[np.bool_]:
    """Dark lines up to about 1 % of the image wide and several times as long."""
    radius = max(2, round(7 * unit))
    across = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) <= radius
    beside = ndimage.grey_closing(smooth, footprint=across)
    thin = (smooth < (1 - WIRE_DEPTH) * beside) & field
    thin = _with_sharp_rims(
        thin, steps > WIRE_STEP, field, WIRE_SHARP_RIM, (4 * radius, LARGEST * field.sum())
    )
    labels, count = ndimage.label(thin, np.ones((3, 3)))
    long = np.zeros(count + 1, dtype=bool)
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        long[number] = np.hypot(rows.stop - rows.start, columns.stop - columns.start) >= 3 * radius
    return long[labels]
