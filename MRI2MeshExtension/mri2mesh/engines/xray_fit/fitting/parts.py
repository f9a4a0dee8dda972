"""How well an image agrees with a surface's shadow part by part.

All of a bone together can agree well with an image while a part of it lies wrong, as a shaft on the wrong one of its
edges: the contrast, which is solved for in every place, is then about zero there. So what the surface's shadow would
show with one contrast everywhere is compared with what is left of the radiograph for it, in one small square after the
other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

PART_MM = 45.0
"""Side of a part, at the patient; parts overlap by half."""
LEAST_DETAIL = 0.1
"""A part of whose detail there is less, as a share of what the richest one should show, is not looked at."""

AGREES = 0.1
"""Least correlation of a part that the image shows where it lies. With true neighbours, 4 people of training data in
two views each: at the truth, at most 0.02 of what should be seen is in parts with less."""


def agreement_of_parts(
    shown: NDArray, left: NDArray, pixel_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlation [P], -1 to 1, of each part that should show enough, and its share [P] of all that should be seen.

    shown, left: [C, H, W] what the surface's own shadow would show of what is compared, and what is left for it of the
    radiograph. pixel_mm: at the patient.
    """
    side = max(3, round(PART_MM / pixel_mm) | 1)
    rows, columns = shown.shape[1:]
    centres = np.ix_(range(side // 2, rows, side // 2), range(side // 2, columns, side // 2))
    should, there, both = (
        _sums(product, side)[centres] for product in (shown * shown, left * left, shown * left)
    )
    use = should > LEAST_DETAIL * should.max(initial=0.0)
    correlation = both[use] / np.sqrt(np.maximum(should[use] * there[use], 1e-20))
    return correlation, should[use] / max(float(should[use].sum()), 1e-20)


def _sums(values: NDArray, side: int) -> NDArray[np.float64]:
    """[H, W] of the channels and over squares, in the mean."""
    total = np.asarray(values, dtype=np.float64).sum(0)
    return np.asarray(uniform_filter(total, side, mode="constant"))
