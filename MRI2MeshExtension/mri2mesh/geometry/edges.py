"""The edges of triangles. Numpy alone: what draws outlines in a window must not load scipy for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def directed_edges(faces: NDArray) -> NDArray[np.int64]:
    """[3F, 2] the edges of each face in its winding: rows f, F + f and 2F + f belong to face f."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def edges(faces: NDArray) -> NDArray[np.int64]:
    """[E, 2] each edge once, lower index first, sorted."""
    return np.unique(np.sort(directed_edges(faces), axis=1), axis=0)
