"""RAS inside the library, LPS in files: the one place where the two meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Matrix [4, 4] from RAS to LPS; it is its own inverse."""


def flip_ras_lps(points: NDArray) -> NDArray:
    """[..., 3] points or directions from RAS to LPS, or back: the same operation both ways."""
    return points * np.array([-1, -1, 1], dtype=points.dtype)
