"""The brightness of radiographs on one scale, whatever the machine and its display."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def standardised(image: NDArray) -> NDArray[np.float32]:
    """[H, W] between about -1 and 1: the 2nd and 98th percentile of the image there, clipped at 1.5."""
    low, high = np.percentile(image[::2, ::2], [2, 98])
    scaled = (image - low) / max(high - low, 1e-6) * 2 - 1
    return np.clip(scaled, -1.5, 1.5).astype(np.float32)
