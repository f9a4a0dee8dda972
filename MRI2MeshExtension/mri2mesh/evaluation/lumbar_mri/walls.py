"""Where a surface lies against its label: outside or inside, wall by wall, and how large it is.

A mean distance does not say whether a body is too wide or misplaced; a signed one for each wall does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.transforms import apply

WALLS = ("left", "right", "front", "back", "top", "bottom")
EXTENTS = ("width", "depth", "height")

FACING = 0.7
"""Cosine between a point's normal and the axis of the wall that it is counted to; edges in between to none."""

SAMPLES = 4000
TRIMMED_PERCENT = 0.5
"""Of a surface's points left out at either end of an axis, so that a single spike is not an extent."""

_AXES = {"left": (0, -1), "right": (0, 1), "back": (1, -1), "front": (1, 1), "bottom": (2, -1), "top": (2, 1)}


def signed_walls(mesh: Mesh, truth: Mesh, frame: NDArray) -> tuple[dict[str, float], float]:
    """Mean mm by which ``mesh`` lies outside (+) or inside (-) the walls of ``truth``, by name in `WALLS`, and the mean
    distance of all of ``truth`` but its sides from ``mesh``.

    Both closed, outward, RAS. frame: 4x4, local (right, anterior, superior) to RAS; a wall is where the normal
    of ``truth`` points along its axis; distances are to the nearest place of ``mesh``, so near an edge a little less.
    NaN for a wall that ``truth`` does not have. The sides are where thick sagittal slices say least and labels differ
    most.
    """
    points, normals = sample_surface(truth, SAMPLES, np.random.default_rng(0))
    outside = -signed_distance(points, mesh)
    local = normals @ frame[:3, :3]
    walls = {}
    for name in WALLS:
        axis, sign = _AXES[name]
        there = sign * local[:, axis] > FACING
        walls[name] = float(outside[there].mean()) if there.any() else float("nan")
    others = np.abs(local[:, 0]) <= FACING
    return walls, float(np.abs(outside[others]).mean()) if others.any() else float("nan")


def extents(mesh: Mesh, frame: NDArray) -> dict[str, float]:
    """Width, depth and height in mm along the axes of ``frame`` (4x4, local to RAS)."""
    points, _ = sample_surface(mesh, SAMPLES, np.random.default_rng(0))
    local = apply(np.linalg.inv(frame), points)
    low, high = np.percentile(local, [TRIMMED_PERCENT, 100 - TRIMMED_PERCENT], axis=0)
    return {name: float(size) for name, size in zip(EXTENTS, high - low, strict=True)}
