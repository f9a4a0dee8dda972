"""Films as the networks of dense maps see them: each place against its surroundings, bone bright.

Exposure, display curves and what lies far away from a bone change a film much more than the bone does; divided by the
contrast around each place, edges look alike in all films.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

SURROUNDINGS_MM = 22.0
"""Standard deviation of the neighbourhood at the bone: about a vertebral body."""
_LEAST_SHARE = 0.15
"""Of the whole image's contrast, what counts at least as that of a neighbourhood: flat parts stay flat."""
_MOST = 3.0


def local_contrast(image: NDArray, pixel_mm: float) -> NDArray[np.float32]:
    """[H, W] the difference from the surroundings' mean over their standard deviation. pixel_mm: at the bone."""
    image = np.asarray(image, dtype=np.float32)
    reach = SURROUNDINGS_MM / pixel_mm
    away = image - gaussian_filter(image, reach, mode="nearest", truncate=2.5)
    spread = np.sqrt(gaussian_filter(away * away, reach, mode="nearest", truncate=2.5))
    floor = _LEAST_SHARE * float(away.std()) + 1e-6
    return np.clip(away / (spread + floor), -_MOST, _MOST).astype(np.float32)


def bone_is_bright(image: NDArray, bone: NDArray, pixel_mm: float) -> bool:
    """Whether an image [H, W] gets brighter where there is more bone [H, W], each against its surroundings."""
    one, other = local_contrast(image, pixel_mm), local_contrast(bone, pixel_mm)
    return float((one * other).mean() - one.mean() * other.mean()) >= 0
