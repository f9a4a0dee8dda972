"""Text, arrows and scale bars burned into a radiograph: thin, of one extreme value, sharp all around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

ONE_VALUE = 0.002
STROKE = 0.004
"""Half width of the widest stroke, as a fraction of the longer side of the image."""
LEAST_AREA_PX = 12
CONTRAST = 0.2
"""Least step from the strokes to what is around them, as a fraction of the full scale."""
ROUND_A_STROKE_PX = 2


def overlay_mask(picture: NDArray) -> NDArray[np.bool_]:
    """[rows, columns]; True at burned-in marks and two pixels around, where letters are smoothed.

    picture: [rows, columns] in 0..1. Marks are the very brightest or the very darkest value of the picture.
    """
    found = np.zeros(picture.shape, dtype=bool)
    radius = max(2, round(STROKE * max(picture.shape)))
    for value in (float(picture.min()), float(picture.max())):
        extreme = np.abs(picture - value) <= ONE_VALUE
        # Noise makes holes in saturated areas, which are wide all the same.
        whole = ndimage.binary_closing(np.pad(extreme, radius, mode="edge"), np.ones((3, 3)))
        wide = ndimage.binary_opening(whole, iterations=radius)
        labels, _ = ndimage.label(extreme, np.ones((3, 3)))
        areas = np.bincount(labels.ravel())
        wide_areas = np.bincount(labels[wide[radius:-radius, radius:-radius]].ravel(), minlength=len(areas))
        boxes = ndimage.find_objects(labels)
        for number in np.flatnonzero((areas >= LEAST_AREA_PX) & (wide_areas <= areas / 2)):
            if number and _stands_out(picture, labels, int(number), boxes[number - 1], value):
                found[boxes[number - 1]] |= labels[boxes[number - 1]] == number
    return ndimage.binary_dilation(found, np.ones((3, 3)), iterations=ROUND_A_STROKE_PX)


def _stands_out(picture: NDArray, labels: NDArray, number: int, box: tuple, value: float) -> bool:
    """Whether one connected mark of the value differs by a sharp step from the ring two to four pixels away."""
    rows, columns = (
        slice(max(0, side.start - 5), min(size, side.stop + 5))
        for side, size in zip(box, picture.shape, strict=True)
    )
    mark = labels[rows, columns] == number
    near = ndimage.binary_dilation(mark, np.ones((3, 3)), iterations=2)
    ring = ndimage.binary_dilation(near, np.ones((3, 3)), iterations=2) & ~near
    ring &= labels[rows, columns] == 0
    return bool(ring.any()) and abs(float(np.median(picture[rows, columns][ring])) - value) >= CONTRAST
