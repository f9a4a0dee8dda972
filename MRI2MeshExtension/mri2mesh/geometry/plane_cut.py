"""Where a plane cuts a surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mri2mesh.geometry.mesh import Mesh


@dataclass(frozen=True)
class PlaneCut:
    """The segments in which a plane cuts faces, each end on an edge of the surface.

    faces: [S] the face of each segment. ends: [S, 2, 2] vertices of the edge that each of its ends lies on.
    shares: [S, 2] how far along that edge, from its first vertex, 0 to 1.
    """

    faces: NDArray[np.int64]
    ends: NDArray[np.int64]
    shares: NDArray[np.float64]

    def segments(self, vertices: NDArray) -> NDArray[np.float64]:
        """[S, 2, 3] of the vertices [V, 3] that were cut."""
        corner = np.asarray(vertices, dtype=np.float64)[self.ends]
        return corner[:, :, 0] + self.shares[..., None] * (corner[:, :, 1] - corner[:, :, 0])

    def of_faces(self, kept: NDArray) -> PlaneCut:
        """Only the segments that a mask [S] keeps."""
        return PlaneCut(self.faces[kept], self.ends[kept], self.shares[kept])

    def loops(self) -> NDArray[np.int64]:
        """[S] number of the connected curve that each segment is part of, from 0."""
        if not len(self.faces):
            return np.zeros(0, np.int64)
        low, high = np.sort(self.ends, axis=2).reshape(-1, 2).T
        _, edge = np.unique(low * (high.max() + 1) + high, return_inverse=True)
        first, second = edge.reshape(-1, 2).T
        count = int(edge.max()) + 1
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
        return connected_components(graph, directed=False)[1][first].astype(np.int64)


def plane_cut(mesh: Mesh, origin: ArrayLike, normal: ArrayLike) -> PlaneCut:
    """Where the plane through a point [3] with a normal [3] cuts the faces.

    A vertex exactly on the plane counts as above it, so that the cut of a closed surface is closed.
    """
    height = (mesh.vertices.astype(np.float64) - np.asarray(origin)) @ np.asarray(normal, dtype=np.float64)
    above = height >= 0
    cut = np.flatnonzero((above[mesh.faces].sum(axis=1) % 3) > 0)
    faces, rows = mesh.faces[cut], np.arange(len(cut))
    alone = np.argmax(above[faces] == (above[faces].sum(axis=1, keepdims=True) == 1), axis=1)
    tip = faces[rows, alone]
    other = np.stack([faces[rows, (alone + step) % 3] for step in (1, 2)], axis=1)
    shares = height[tip][:, None] / (height[tip][:, None] - height[other])
    ends = np.stack([np.broadcast_to(tip[:, None], other.shape), other], axis=2)
    return PlaneCut(cut, ends, shares.reshape(-1, 2))
