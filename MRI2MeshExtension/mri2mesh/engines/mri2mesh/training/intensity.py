"""Cheap intensity changes on top of a case's own contrast, so that one case serves many samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def jitter_intensity(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Gamma, scale, offset and noise on an image normalised to about 0..1."""
    image = np.clip(image, 0, 1.5) ** np.float32(np.exp(rng.normal(0, 0.25)))
    image = image * np.float32(np.exp(rng.normal(0, 0.15))) + np.float32(rng.normal(0, 0.03))
    sigma = abs(rng.normal(0, 0.03))
    return (image + sigma * rng.standard_normal(image.shape, np.float32)).astype(np.float32)
