"""Spheres through points that move, and their drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.measures.measure import Lines


def sphere_through(points: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres [..., 3] and radii [...] of the spheres through points [..., K, 3], by algebraic least squares."""
    origin = points.mean(axis=-2, keepdims=True)
    local = points - origin
    system = np.concatenate([2 * local, np.ones((*local.shape[:-1], 1))], axis=-1)
    transposed = np.swapaxes(system, -1, -2)
    right = transposed @ (local**2).sum(axis=-1)[..., None]
    solution = np.linalg.solve(transposed @ system, right)[..., 0]
    centre = solution[..., :3]
    return centre + origin[..., 0, :], np.sqrt(solution[..., 3] + (centre**2).sum(axis=-1))


def great_circles(points: NDArray) -> Lines:
    """Three circles on the sphere through points [K, 3]."""
    centre, radius = sphere_through(points)
    turn = np.linspace(0, 2 * np.pi, 49)
    circle = float(radius) * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    return [centre + np.roll(circle, axis, axis=1) for axis in range(3)]
