"""Another scanner's look for the block around a vertebra: what a shard of profiles is drawn through.

Few anatomies are made, and each is looked at again and again as training goes on; were it to look the same each time, a
network would learn it by heart. Nothing here moves an edge by more than the scanner itself would.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.engines.mri2mesh.training.intensity import jitter_intensity
from mri2mesh.synthesis.mr.fields import Matrix, apply_separable, linear_matrix, smooth_field
from mri2mesh.synthesis.mr.slices import AxisSampling

Image = NDArray[np.float32]

KNOTS = 6
"""Grey values at which a new order of contrasts is drawn."""
MOST_CHEMICAL_SHIFT = 2.0
"""Voxels of 1 mm between fat and water, as low bandwidths have them."""


def other_appearance(image: Image, rng: np.random.Generator) -> Image:
    """image: [K, J, I] on a 1 mm grid, normalised to about 0..1; returns the same block as another scan shows it."""
    if rng.random() < 0.4:
        image = _other_contrast(image, rng)
    if rng.random() < 0.25:
        image = _chemical_shift(image, rng)
    if rng.random() < 0.4:
        image = _sliced(image, rng)
    if rng.random() < 0.3:
        image = _in_plane(image, rng)
    if rng.random() < 0.5:
        image = image * np.exp(rng.uniform(0.05, 0.4) * smooth_field(rng, image.shape, 40.0))
    image = jitter_intensity(np.maximum(image, 0), rng)
    return (1 - image).astype(np.float32) if rng.random() < 0.1 else image


def _other_contrast(image: Image, rng: np.random.Generator) -> Image:
    """Grey values along a random curve, which need not rise: dark tissues may become the bright ones."""
    curve = rng.uniform(0, 1, KNOTS)
    if rng.random() < 0.6:
        curve = np.sort(curve)
    share = np.float32(rng.uniform(0.3, 1.0))
    other = np.interp(image, np.linspace(0, 1.2, KNOTS), curve).astype(np.float32)
    return (1 - share) * image + share * other


def _chemical_shift(image: Image, rng: np.random.Generator) -> Image:
    """The signal of fat, taken to be the brighter part, moved along one axis: a dark rim here, a bright one there."""
    fat = image / (1 + np.exp((np.float32(rng.uniform(0.4, 0.7)) - image) / np.float32(0.06)))
    axis = int(rng.integers(3))
    count = image.shape[axis]
    by = rng.uniform(-MOST_CHEMICAL_SHIFT, MOST_CHEMICAL_SHIFT)
    moved = _along(fat, axis, linear_matrix(np.arange(count) - by, count))
    return image - fat + moved


def _sliced(image: Image, rng: np.random.Generator) -> Image:
    """Thick slices, most often sagittal, at any phase, interpolated back: partial volume as real ones have it."""
    axis = 2 if rng.random() < 0.75 else int(rng.integers(3))
    count = image.shape[axis]
    step = float(rng.uniform(2.0, 5.0))
    centres = np.arange(rng.uniform(0, step) - step / 2, count - 1 + step / 2, step)
    sampling = AxisSampling(centres, step * float(rng.uniform(0.75, 1.0)), "box")
    return _along(image, axis, _inward(sampling.back(count)) @ sampling.matrix(count))


def _along(image: Image, axis: int, matrix: Matrix) -> Image:
    k, j, i = (matrix if axis == number else None for number in range(3))
    return apply_separable(image, (k, j, i))


def _inward(back: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows beyond the first and last slice take the nearest one's value: the block goes on, the scan does not end."""
    empty = back.sum(axis=1) == 0
    back[empty, np.where(np.flatnonzero(empty) < len(back) / 2, 0, back.shape[1] - 1)] = 1
    return back


def _in_plane(image: Image, rng: np.random.Generator) -> Image:
    """Within sagittal slices: a coarser pixel, or the edge filter of many scanners with its overshoot."""
    sigma = float(rng.uniform(0.4, 1.3))
    smooth: Image = ndimage.gaussian_filter(image, (sigma, sigma, 0), truncate=3)
    if rng.random() < 0.6:
        return smooth
    return image + np.float32(rng.uniform(0.3, 1.2)) * (image - smooth)
