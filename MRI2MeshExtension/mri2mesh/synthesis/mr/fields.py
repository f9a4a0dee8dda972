"""Separable linear operators on volumes, and the smooth random fields made with them.

Resampling along an axis is a small matrix, so a whole-volume operation is three matrix products: far faster
than a general interpolation, and the same code makes random fields, coordinate maps and slice profiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def linear_matrix(positions: NDArray, n_in: int) -> Matrix:
    """[n_out, n_in] weights of linear interpolation at fractional sample positions; clamped at both ends."""
    positions = np.clip(np.asarray(positions, dtype=np.float64), 0, n_in - 1)
    lower = np.minimum(positions.astype(int), max(n_in - 2, 0))
    fraction = positions - lower
    matrix = np.zeros((len(positions), n_in), dtype=np.float32)
    rows = np.arange(len(positions))
    matrix[rows, lower] = 1 - fraction
    if n_in > 1:
        matrix[rows, lower + 1] += fraction
    return matrix


def bspline_matrix(positions: NDArray, n_in: int) -> Matrix:
    """[n_out, n_in] weights of a uniform cubic B-spline at fractional knots, each within 1 .. n_in - 2."""
    positions = np.asarray(positions, dtype=np.float64)
    lower = np.clip(positions.astype(int), 1, n_in - 3)
    t = positions - lower
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    matrix = np.zeros((len(positions), n_in), dtype=np.float32)
    rows = np.arange(len(positions))
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        matrix[rows, lower + offset] = weight
    return matrix


def apply_separable(
    array: NDArray, matrices: tuple[Matrix | None, Matrix | None, Matrix | None]
) -> NDArray[np.float32]:
    """Apply one matrix per axis (k, j, i; None leaves the axis alone) to a [K, J, I] array."""
    result = np.ascontiguousarray(array, dtype=np.float32)
    # The axes that shrink the volume most go first, so that the later products are small.
    growth = [1.0 if m is None else m.shape[0] / m.shape[1] for m in matrices]
    for axis in np.argsort(growth):
        matrix = matrices[axis]
        if matrix is None:
            continue
        if axis == 2:
            result = result @ matrix.T
        elif axis == 1:
            result = np.matmul(matrix, result)
        else:
            result = (matrix @ result.reshape(result.shape[0], -1)).reshape(-1, *result.shape[1:])
    return result


_BSPLINE_STD = 0.479**1.5
"""Standard deviation of a 3D cubic B-spline of unit white noise, averaged over positions."""


def smooth_field(
    rng: np.random.Generator, shape: tuple[int, ...], scale: float | tuple[float, float, float]
) -> NDArray[np.float32]:
    """[K, J, I] smooth Gaussian field, mean 0, standard deviation about 1.

    scale: distance of the knots in voxels, one for all axes or one each (k, j, i).
    """
    scales = scale if isinstance(scale, tuple) else (scale, scale, scale)
    matrices = []
    for n, step in zip(shape, scales, strict=True):
        knots = int(np.ceil((n - 1) / step)) + 4
        matrices.append(bspline_matrix(1 + rng.random() + np.arange(n) / step, knots + 1))
    noise = rng.standard_normal([m.shape[1] for m in matrices], dtype=np.float32) / np.float32(_BSPLINE_STD)
    return apply_separable(noise, tuple(matrices))  # type: ignore[arg-type]


def upsample(coarse: NDArray, shape: tuple[int, ...], step: float) -> NDArray[np.float32]:
    """Linear interpolation of values given every `step` voxels (first at voxel 0) onto the full [K, J, I]
    grid."""
    matrices = tuple(linear_matrix(np.arange(n) / step, c) for n, c in zip(shape, coarse.shape, strict=True))
    return apply_separable(coarse, matrices)  # type: ignore[arg-type]


def coarse_axes(shape: tuple[int, ...], step: int) -> list[NDArray[np.float64]]:
    """Voxel positions (k, j, i) of a coarse grid that covers `shape` with a node every `step` voxels."""
    return [np.arange(0, n - 1 + step, step, dtype=np.float64) for n in shape]
