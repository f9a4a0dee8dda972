"""How far two masks of one grid are the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """2 |A and B| / (|A| + |B|) of masks of the same shape (Dice 1945), 0 to 1; 0 where both are empty."""
    return float(2 * (one & other).sum() / max(one.sum() + other.sum(), 1))
