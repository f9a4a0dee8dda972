"""A few points of a vertebra that are told from the crop as a whole: where they lie says how the vertebra stands.

Dense maps say of each pixel what it shows; where a vertebra stands and how it is turned is seen by all pixels together.
The points are vertices of the template, spread over it; they are in the crop's own frame and units, see `crop.encode`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.engines.revert.crop import UNIT_MM, Crop, decode, encode

KEY_VERTICES = np.array([
    237, 1275, 690, 1927, 46, 2223, 1892, 444, 1592, 310, 1055, 1597, 334, 1989, 1507, 1395,
    741, 1120, 352, 1570, 966, 193, 2405, 21, 2496, 2064, 607, 2364, 824, 1416, 114, 1280,
])  # fmt: skip
"""Rows of the template's vertices, of any level: those of the mean L3 that lie farthest from each other, one after the
other. Networks learn them in this order."""
COUNT = len(KEY_VERTICES)
NUMBERS = 3 * COUNT + 3
"""Of the points about their middle, of their middle across the beam, of its depth."""


def coded(crop: Crop, points_ras_mm: NDArray) -> NDArray[np.float32]:
    """[NUMBERS] of points [COUNT, 3] RAS mm in a crop."""
    truth = encode(crop, points_ras_mm)
    return np.concatenate([truth.shape.ravel(), truth.centre, [truth.depth]]).astype(np.float32)


def decoded(crop: Crop, numbers: NDArray) -> NDArray[np.float64]:
    """[COUNT, 3] RAS mm: the inverse of `coded`."""
    shape = np.asarray(numbers[:-3], dtype=np.float64).reshape(COUNT, 3)
    return decode(crop, shape, numbers[-3:-1], float(numbers[-1]))


def nothing() -> NDArray[np.float32]:
    """[NUMBERS] of a crop without a vertebra."""
    return np.full(NUMBERS, np.nan, np.float32)


def loss(found: Tensor, true: Tensor) -> Tensor:
    """Of numbers [B, NUMBERS]: mean distances in units of `crop.UNIT_MM`, of the points about their middle and of the
    middle; depth counts as it is coded. Crops without a vertebra do not count."""
    known = ~true.isnan().any(1)
    found, true = found[known], true[known]
    if not len(true):
        return found.sum() * 0
    off = found - true
    shape = off[:, :-3].reshape(-1, COUNT, 3).norm(dim=2).mean()
    centre = off[:, -3:-1].norm(dim=1).mean()
    return shape + centre + 0.25 * off[:, -1].abs().mean()


def figures(found: Tensor, true: Tensor) -> dict[str, float]:
    """Means over the crops of numbers [B, NUMBERS]: how far the points are off about their middle, and the middle
    across the beam, mm at the expected depth."""
    known = ~true.isnan().any(1)
    off = (found - true)[known] * UNIT_MM
    return {
        "points_mm": float(off[:, :-3].reshape(-1, COUNT, 3).norm(dim=2).mean()),
        "middle_mm": float(off[:, -3:-1].norm(dim=1).mean()),
    }
