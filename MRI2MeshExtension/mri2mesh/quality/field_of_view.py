"""Which points an image shows at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.volume import Volume


def inside_image(volume: Volume, points: NDArray) -> NDArray[np.bool_]:
    """[N] whether points [N, 3] in RAS lie within the image's voxels."""
    ijk = volume.ijk_from_ras(points)
    inside: NDArray[np.bool_] = (ijk >= -0.5) & (ijk <= np.array(volume.array.shape[::-1]) - 0.5)
    return np.all(inside, axis=1)
