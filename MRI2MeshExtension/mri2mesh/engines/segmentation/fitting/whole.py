"""Labels drawn everywhere, on slices thin enough to see every wall: the bone is their closed surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.engines.segmentation.fitting.observations import Observations, robust, selection
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.geometry.isosurface import surface_from_labels
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals

POINTS = 30_000
SMOOTHING = 12
"""Rounds of Taubin smoothing that take the steps off the labels' surface and leave its size alone."""
NORMAL_MM = (12.0, 3.0)
"""What a unit of difference between normals is worth where closest points are sought: far away, and near. So the two
sides of a thin process do not mix."""
NEAR_MM = 2.0


class WholeSurface:
    """Evidence of one bone whose whole surface is known.

    surface: outward. bone: its voxels, where it comes from labels; where they touch the border of the image, the bone
    was cut by it: that is no surface of the bone.
    """

    def __init__(self, surface: Mesh, bone: Patch | None = None, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        smooth = vertex_normals(surface)
        points, face, corner = _with_corners(surface, POINTS, rng)
        normals = np.einsum("nk,nkd->nd", corner, smooth[surface.faces[face]])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        kept = np.ones(len(points), bool) if bone is None else _off_the_border(points, bone)
        self.outline, self.normals = points[kept], normals[kept]
        self.bone = bone
        self._trees: dict[float, cKDTree] = {}

    @classmethod
    def of_labels(cls, bone: Patch) -> WholeSurface:
        """Of a bone that is labelled through and through."""
        return cls(surface_from_labels(bone, SMOOTHING), bone)

    def observe(self, vertices: NDArray, faces: NDArray, used: NDArray, spread: float) -> Observations:
        normal_mm = NORMAL_MM[0] if spread > NEAR_MM else NORMAL_MM[1]
        normals = vertex_normals(Mesh(vertices, faces))
        own = np.flatnonzero(used)
        there = self._nearest(vertices[own], normals[own], normal_mm)
        tree = cKDTree(np.hstack([vertices[own], normal_mm * normals[own]]))
        some = slice(None, min(len(self.outline), 3 * len(own) // 2))
        back = own[tree.query(np.hstack([self.outline[some], normal_mm * self.normals[some]]))[1]]
        vertex = np.concatenate([own, back])
        goal = np.concatenate([self.outline[there], self.outline[some]])
        direction = np.concatenate([self.normals[there], self.normals[some]])
        away = goal - vertices[vertex]
        offset = np.einsum("ni,ni->n", away, direction)
        agree = np.einsum("ni,ni->n", direction, normals[vertex])
        # A pair is trusted by how far it is apart, sideways too: what the labels lack has no partner near by.
        weight = robust(np.linalg.norm(away, axis=1), spread) * (agree > 0.3)
        weight[: len(own)] *= self._in_the_image(vertices[own])
        # Both ways together weigh the same, and every vertex has a say of its own.
        weight[len(own) :] *= len(own) / max(len(back), 1)
        return Observations(selection(vertex, len(vertices)), direction, offset, weight)

    def covers(self, vertices: NDArray, normals: NDArray) -> NDArray[np.float64]:
        there = self._nearest(vertices, normals, NORMAL_MM[1])
        away = np.linalg.norm(self.outline[there] - vertices, axis=1)
        return robust(away, 1.5) * self._in_the_image(vertices)

    def _nearest(self, points: NDArray, normals: NDArray, normal_mm: float) -> NDArray:
        if normal_mm not in self._trees:
            self._trees[normal_mm] = cKDTree(np.hstack([self.outline, normal_mm * self.normals]))
        return np.asarray(self._trees[normal_mm].query(np.hstack([points, normal_mm * normals]))[1])

    def _in_the_image(self, points: NDArray) -> NDArray[np.float64]:
        """1 where the grid reaches, 0 beyond it, where nothing was drawn."""
        if self.bone is None:
            return np.ones(len(points))
        ijk = self.bone.ijk_from_ras(points)
        return np.all((ijk > self.bone.first - 0.25) & (ijk < self.bone.last + 0.25), axis=1).astype(float)


def _with_corners(surface: Mesh, n: int, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """Points [n, 3] spread over a surface, the face [n] of each, and its place [n, 3] on it. In random order."""
    corners = surface.vertices.astype(np.float64)[surface.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    ticks = (rng.permutation(n) + rng.random()) / n * area.sum()
    face = np.minimum(np.searchsorted(np.cumsum(area), ticks, "right"), len(area) - 1)
    u, v = rng.random(n), rng.random(n)
    over = u + v > 1
    u[over], v[over] = 1 - u[over], 1 - v[over]
    weights = np.stack([1 - u - v, u, v], axis=1)
    return np.einsum("nk,nkd->nd", weights, corners[face]), face, weights


def _off_the_border(points: NDArray, bone: Patch) -> NDArray[np.bool_]:
    """[N] whether points are surface of the bone and not of the cut that the border of the image makes."""
    ijk = bone.ijk_from_ras(points)
    return np.all((ijk > bone.first + 0.1) & (ijk < bone.last - 0.1), axis=1)
