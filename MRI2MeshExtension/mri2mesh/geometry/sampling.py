"""Points spread evenly over a surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh


def face_normals(mesh: Mesh) -> NDArray[np.float64]:
    """[F, 3] unit normals, outward for an outward mesh; zero for a face without area."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)


def vertex_normals(mesh: Mesh) -> NDArray[np.float64]:
    """[V, 3] unit normals, the area-weighted mean of the faces around each vertex."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros((len(mesh.vertices), 3))
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(mesh.faces[:, corner], normals[:, axis], len(mesh.vertices))
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-30)


def sample_surface(
    mesh: Mesh, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """n points on the surface, density uniform in area, and the unit normal of the face under each.

    Returns points [n, 3] mm and normals [n, 3]. Faces are drawn by systematic sampling: each receives its
    expected number of points to within one, so the spread is more even than by independent draws.

    Raises ValueError when the mesh has no area.
    """
    points, faces = _sample(mesh, n, rng)
    return points, face_normals(mesh)[faces]


def _sample(mesh: Mesh, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    cumulative = np.cumsum(np.linalg.norm(np.cross(first, second), axis=1))
    if not len(cumulative) or cumulative[-1] <= 0:
        raise ValueError("a surface without area cannot be sampled")
    ticks = (np.arange(n) + rng.random()) / n * cumulative[-1]
    faces = np.minimum(np.searchsorted(cumulative, ticks, "right"), len(cumulative) - 1)
    u, v = rng.random(n), rng.random(n)
    over = u + v > 1  # the other half of the parallelogram, folded back
    u[over], v[over] = 1 - u[over], 1 - v[over]
    return corners[faces, 0] + u[:, None] * first[faces] + v[:, None] * second[faces], faces
