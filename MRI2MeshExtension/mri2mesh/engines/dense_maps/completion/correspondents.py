"""Which point of the model each sample is: by its predicted place on the mean bone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Anchors:
    """corners: [N, 3] vertices of the model. weights: [N, 3] of them. distance_mm: [N] from place to surface."""

    corners: NDArray[np.int64]
    weights: NDArray[np.float64]
    distance_mm: NDArray[np.float64]

    def on(self, vertices: NDArray) -> NDArray[np.float64]:
        """[..., N, 3] the anchored points of vertices [..., V, 3]."""
        return np.asarray(np.einsum("nk,...nkc->...nc", self.weights, vertices[..., self.corners, :]))


class PlaceFinder:
    """Nearest points on a mean surface, vertices [V, 3] and faces [F, 3], for many places at once."""

    def __init__(self, vertices: NDArray, faces: NDArray) -> None:
        self.vertices, self.faces = np.asarray(vertices, dtype=np.float64), faces
        self._centres = cKDTree(self.vertices[faces].mean(axis=1))

    def find(self, places: NDArray, candidates: int = 8) -> Anchors:
        """The nearest point on the few faces whose centres are nearest."""
        number = self._centres.query(places, k=candidates)[1]
        corners = self.faces[number]
        weights = _nearest_in_triangles(places[:, None], self.vertices[corners])
        found = (weights[..., None] * self.vertices[corners]).sum(axis=2)
        distance = np.linalg.norm(found - places[:, None], axis=2)
        best = distance.argmin(axis=1)
        rows = np.arange(len(places))
        return Anchors(corners[rows, best], weights[rows, best], distance[rows, best])


def _nearest_in_triangles(points: NDArray, triangles: NDArray) -> NDArray[np.float64]:
    """[N, K, 3] barycentric weights of the point of each triangle [N, K, 3, 3] that is nearest to a point [N, 1, 3]:
    that of the plane where it is inside, else the nearest on the three edges (Ericson 2005)."""
    a, b, c = triangles[:, :, 0], triangles[:, :, 1], triangles[:, :, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    wu, wv = (w * u).sum(-1), (w * v).sum(-1)
    area = np.maximum(uu * vv - uv * uv, 1e-12)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    weights = np.stack([1 - second - third, second, third], axis=-1)
    outside = weights.min(axis=-1) < 0
    best, least = weights, np.where(outside, np.inf, -1.0)
    for first, last in ((0, 1), (1, 2), (2, 0)):
        start, along = triangles[:, :, first], triangles[:, :, last] - triangles[:, :, first]
        t = np.clip(((points - start) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-12), 0, 1)
        squared = ((start + t[..., None] * along - points) ** 2).sum(-1)
        edge = np.zeros_like(weights)
        edge[..., first], edge[..., last] = 1 - t, t
        nearer = squared < least
        best = np.where(nearer[..., None], edge, best)
        least = np.where(nearer, squared, least)
    return np.asarray(best)
