"""Random fields: trabeculae in spongy bone, uneven soft tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom


def noise_field(shape: tuple[int, ...], rng: np.random.Generator, pixels: float) -> NDArray[np.float32]:
    """[H, W] smooth noise of unit variance whose features are some pixels wide."""
    step = max(1, int(pixels // 4))
    size = [-(-n // step) + 1 for n in shape]
    field = gaussian_filter(rng.standard_normal(size, dtype=np.float32), pixels / step / 2, mode="wrap")
    field /= max(float(field.std()), 1e-6)
    return np.asarray(zoom(field, step, order=1)[: shape[0], : shape[1]], dtype=np.float32)


def trabeculae(shape: tuple[int, ...], spacing_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] relative change of the spongy bone's attenuation: streaks a millimetre or two wide, mostly upright."""
    fine = rng.standard_normal(shape, dtype=np.float32)
    widths = np.array([rng.uniform(2.0, 5.0), rng.uniform(0.7, 1.5)]) / spacing_mm
    streaks = gaussian_filter(fine, widths)
    streaks /= max(float(streaks.std()), 1e-6)
    return np.asarray(
        rng.uniform(0.0, 0.15) * streaks + rng.uniform(0.0, 0.2) * noise_field(shape, rng, 14.0 / spacing_mm),
        dtype=np.float32,
    )
