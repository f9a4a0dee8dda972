"""Grey values on a common scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.5
BRIGHTEST = 1.5
"""What is brighter than this (vessels, coil hot spots) is cut, so that no single spot sets the scale."""


def normalise(array: NDArray, mask: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Grey values, [...] any number type, so that the 1st percentile is 0 and the 99.5th is 1; cut to 0..1.5.

    mask: same shape; the percentiles are taken where it is true, and the rest of the result is 0.
    Where these percentiles coincide (nearly all one value) the least and greatest values take their place;
    where those coincide too, or the mask is empty, the result is 0.
    """
    values = np.asarray(array, dtype=np.float32)
    inside = values if mask is None else values[mask]
    if inside.size == 0:
        return np.zeros_like(values)
    low, high = np.percentile(inside, [LOW_PERCENTILE, HIGH_PERCENTILE])
    if high <= low:
        low, high = inside.min(), inside.max()
    if high <= low:
        return np.zeros_like(values)
    scaled = np.clip((values - np.float32(low)) / np.float32(high - low), 0, BRIGHTEST)
    return scaled if mask is None else np.where(mask, scaled, np.float32(0))
