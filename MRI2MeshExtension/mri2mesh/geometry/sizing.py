"""Frames that carry size, from surfaces in the template's topology."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.transforms import rigid_fit


def sized_fit(home: NDArray, found: NDArray) -> NDArray[np.float64]:
    """4x4 rotation, scale along the axes of ``home`` and translation that takes home [N, 3] nearest to found [N, 3].

    The rotation is that of the rigid fit; the scales are the ratios of the spreads along the axes after it.
    """
    rigid = rigid_fit(home, found)
    unturned = (found - found.mean(0)) @ rigid[:3, :3]
    scale = unturned.std(0) / home.std(0)
    matrix = np.eye(4)
    matrix[:3, :3] = rigid[:3, :3] * scale
    matrix[:3, 3] = found.mean(0) - matrix[:3, :3] @ home.mean(0)
    return matrix
