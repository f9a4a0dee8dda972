"""How much a surface is drawn together or pulled out against another of the same faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh


def least_stretch(mesh: Mesh, home: Mesh) -> NDArray[np.float64]:
    """[F] the smaller singular value of the linear map from each triangle of ``home`` to that of ``mesh``.

    1 where nothing is drawn together in any direction, 0 where a triangle is pressed to a line. Triangles of ``home``
    must have an area.
    """
    there, here = _in_their_planes(home), _in_their_planes(mesh)
    singular = np.linalg.svd(here @ np.linalg.inv(there), compute_uv=False)
    return np.asarray(singular[:, 1], dtype=np.float64)


def around_vertices(of_faces: NDArray[np.float64], mesh: Mesh) -> NDArray[np.float64]:
    """[V] the mean of values [F] over the triangles at each vertex; not a number where a vertex has none."""
    corners = mesh.faces.ravel()
    count = len(mesh.vertices)
    with np.errstate(invalid="ignore"):
        return np.bincount(corners, np.repeat(of_faces, 3), count) / np.bincount(corners, minlength=count)


def _in_their_planes(mesh: Mesh) -> NDArray[np.float64]:
    """[F, 2, 2] two edges of each triangle as columns, in axes of its own plane, mm."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = np.maximum(np.linalg.norm(first, axis=1), 1e-12)
    along = np.einsum("fc,fc->f", first, second) / length
    across = np.linalg.norm(np.cross(first, second), axis=1) / length
    return np.stack([np.stack([length, along], 1), np.stack([np.zeros_like(length), across], 1)], 1)
