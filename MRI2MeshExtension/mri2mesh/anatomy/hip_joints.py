"""The spheres of the hip joint: the socket of a hip bone and the head of a femur."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ball = tuple[NDArray[np.float64], float, NDArray[np.int64]]
"""Centre [3], radius, and the vertices on the sphere."""


def sphere(points: NDArray) -> tuple[NDArray[np.float64], float]:
    """Centre [3] and radius of the sphere through points [N, 3], algebraic least squares."""
    system = np.c_[2 * points, np.ones(len(points))]
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))


def acetabulum(hip: NDArray, lateral: float) -> Ball:
    """Centre [3] and radius of the hip joint in its socket, and the vertices on the articular surface.

    hip: [V, 3] one hip, upright, in RAS. lateral: sign of x on its outer side, 1 of a right hip. The joint's sphere
    is the one of 20 to 32 mm radius, touching the bone from its lateral side, on which most vertices lie: sought on a
    grid, then fitted.
    """
    low, high = hip.min(axis=0), hip.max(axis=0)
    # Hip joint centres lie a third up the hip bone's height and near the middle of its depth.
    guess = np.array([np.median(hip[:, 0]), (low[1] + high[1]) / 2, low[2] + 0.37 * (high[2] - low[2])])
    best, best_count, best_radius = guess, -1, 25.0
    within_reach = hip[np.linalg.norm(hip - guess, axis=1) < 80.0]
    radii = np.array([22.0, 24.0, 26.0, 28.0, 30.0])
    for dx in np.arange(-20, 31, 4.0):
        for dy in np.arange(-24, 25, 4.0):
            for dz in np.arange(-24, 25, 4.0):
                centre = guess + [lateral * dx, dy, dz]
                distance = np.sort(np.linalg.norm(within_reach - centre, axis=1))
                inside = np.searchsorted(distance, radii - 3.0)
                count = np.searchsorted(distance, radii + 2.0) - np.searchsorted(
                    distance, radii - 2.0, "right"
                )
                count[inside > 4] = -1  # a joint is empty
                if count.max() > best_count:
                    best, best_count, best_radius = centre, int(count.max()), float(radii[count.argmax()])
    for _ in range(10):
        distance = np.linalg.norm(hip - best, axis=1)
        on = np.abs(distance - best_radius) < 2.0
        best, best_radius = sphere(hip[on])
    distance = np.linalg.norm(hip - best, axis=1)
    on = np.flatnonzero(np.abs(distance - best_radius) < 2.5)
    return best, best_radius, on


def femoral_head(points: NDArray) -> Ball:
    """Centre [3] and radius of the head of an upright femur [V, 3], and the vertices on its sphere."""
    top, length = points[:, 2].max(), np.ptp(points[:, 2])
    shaft = points[np.abs(points[:, 2] - top + length / 2) < 0.1 * length].mean(axis=0)
    medial = np.sign(points[points[:, 2] > top - 0.03 * length][:, 0].mean() - shaft[0])
    near = points[:, 2] > top - 0.15 * length
    inner = points[
        near & (medial * (points[:, 0] - shaft[0]) > 0.5 * np.max(medial * (points[near, 0] - shaft[0])))
    ]
    centre, radius = sphere(inner)
    for _ in range(20):
        on = np.abs(np.linalg.norm(points - centre, axis=1) - radius) < 1.5
        centre, radius = sphere(points[on])
    return centre, radius, np.flatnonzero(np.abs(np.linalg.norm(points - centre, axis=1) - radius) < 1.5)
