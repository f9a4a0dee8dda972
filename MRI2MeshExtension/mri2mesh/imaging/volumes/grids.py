"""Regular grids that cover a volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mri2mesh.geometry.volume import Volume


def covering_grid(volume: Volume, spacing_mm: ArrayLike) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """ijk_to_ras [4, 4] and shape (K, J, I) of an RAS-aligned grid over the whole of a volume.

    spacing_mm: one voxel size, or one for each of x, y and z.
    """
    k, j, i = volume.array.shape
    corners = np.array([[a, b, c] for a in (-0.5, i - 0.5) for b in (-0.5, j - 0.5) for c in (-0.5, k - 0.5)])
    ras = volume.ras_from_ijk(corners)
    lower, upper = ras.min(0), ras.max(0)
    spacing = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), 3)
    size = np.maximum(np.round((upper - lower) / spacing), 1).astype(int)
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = (lower + upper) / 2 - (size - 1) * spacing / 2
    return matrix, (int(size[2]), int(size[1]), int(size[0]))
