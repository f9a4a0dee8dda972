"""Room between neighbours: where the arches of two composed vertebrae overlap, both bend away a little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from mri2mesh.anatomy.regions import BODY_REGIONS, Region
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections

_REACH_MM = 6.0
"""How far a bend spreads from the place of contact (standard deviation of a Gaussian)."""
_STEP_MM = 1.2
_SEARCH_MM = 8.0
_MARGIN_MM = 4.0
_TOLERANCE_MM = 0.3
_SAFE_BEND_MM = 1.5
"""Smaller bends have never folded a surface."""


def freedom(mesh: Mesh) -> NDArray[np.float64]:
    """[V] how freely a vertex may bend: 0 on body and endplates and what is not real surface, less on
    pedicles, 1 on the rest of the arch."""
    regions = np.asarray(mesh.regions)
    free = np.ones(len(regions))
    free[np.isin(regions, (*BODY_REGIONS, Region.CUT))] = 0.0
    free[np.isin(regions, (Region.PEDICLE_LEFT, Region.PEDICLE_RIGHT))] = 0.3
    return free


@dataclass
class _Side:
    """The part of one surface that lies in the box of the other: where they can touch.

    vertices: all of the mesh, changed in place. part: [N] indices near the other surface. movable: those of
    them that may be pushed. corner_of: [N, F] sums face vectors into vertices.
    """

    vertices: NDArray[np.float64]
    free: NDArray[np.float64]
    part: NDArray[np.int64]
    movable: NDArray[np.int64]
    faces: NDArray[np.int64]
    corner_of: csr_matrix

    @classmethod
    def of(cls, mesh: Mesh, other: Mesh) -> _Side:
        low, high = other.vertices.min(0) - _MARGIN_MM, other.vertices.max(0) + _MARGIN_MM
        inside = ((mesh.vertices > low) & (mesh.vertices < high)).all(axis=1)
        free = freedom(mesh)
        part = np.flatnonzero(inside)
        faces = mesh.faces[inside[mesh.faces].any(axis=1)]
        place = np.full(len(inside), -1)
        place[part] = np.arange(len(part))
        row, column = place[faces].ravel(), np.repeat(np.arange(len(faces)), 3)
        known = row >= 0
        corner_of = csr_matrix((np.ones(known.sum()), (row[known], column[known])), (len(part), len(faces)))
        movable = np.flatnonzero(inside & (free > 0))
        return cls(mesh.vertices.astype(np.float64), free, part, movable, faces, corner_of)

    def normals(self) -> NDArray[np.float64]:
        """[N, 3] outward unit normals of the part, weighted by area."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        normals = self.corner_of @ np.cross(b - a, c - a)
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))

    def bend(self, index: NDArray, push: NDArray) -> None:
        """Displaces by the pushes at vertices [index], fading out with distance and where the bone is not
        free."""
        free = np.flatnonzero(self.free > 0)
        low, high = (
            self.vertices[index].min(0) - 2.5 * _REACH_MM,
            self.vertices[index].max(0) + 2.5 * _REACH_MM,
        )
        at = free[((self.vertices[free] > low) & (self.vertices[free] < high)).all(axis=1)]
        own, centres = self.vertices[at].astype(np.float32), self.vertices[index].astype(np.float32)
        squared = (own**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * own @ centres.T
        weight = np.exp(squared * np.float32(-0.5 / _REACH_MM**2))
        mean = weight @ push.astype(np.float32) / np.maximum(weight.sum(1, keepdims=True), 1e-9)
        self.vertices[at] += mean * weight.max(1, keepdims=True) * self.free[at, None]


def keep_apart(
    upper: Mesh, lower: Mesh, frame: NDArray | None = None, *, gap_mm: float = 1.0, rounds: int = 15
) -> tuple[Mesh, Mesh]:
    """The two surfaces with their arches bent apart until they are about ``gap_mm`` from each other.

    frame: 4x4 local-to-world of the pair, by default the world's. Bodies stay as they are. Best effort: what
    cannot be resolved in ``rounds`` steps of about 1 mm remains.
    """
    frame = np.eye(4) if frame is None else frame
    sides = (_Side.of(upper, lower), _Side.of(lower, upper))
    if not all(len(side.part) > 3 for side in sides):
        return upper, lower
    for _ in range(rounds):
        pushes = [
            _pushes(own, other, gap_mm, _way_out(own, frame, sign))
            for own, other, sign in ((*sides, 1.0), (*sides[::-1], -1.0))
        ]
        for side, (index, push) in zip(sides, pushes, strict=True):
            if len(index):
                side.bend(index, push)
        if not any(len(index) for index, _ in pushes):
            break
    return _untangled(upper, sides[0].vertices), _untangled(lower, sides[1].vertices)


def _untangled(mesh: Mesh, bent: NDArray) -> Mesh:
    """The bent surface; where it was bent far, folds are looked for among the faces that moved, and removed."""
    moved = np.linalg.norm(bent - mesh.vertices, axis=1)
    result = mesh.with_vertices(bent)
    if moved.max(initial=0.0) > _SAFE_BEND_MM:
        faces = mesh.faces[(moved > _TOLERANCE_MM)[mesh.faces].any(axis=1)]
        if len(self_intersecting_pairs(result.vertices.astype(np.float64), faces)):
            return remove_self_intersections(result)
    return result


def _way_out(own: _Side, frame: NDArray, sign: float) -> NDArray[np.float64]:
    """[N, 3] unit directions in which the movable vertices of the upper (sign 1) or lower (-1) surface belong.

    Everywhere in the spine the arch of the upper vertebra lies behind and between the upper facets of the lower.
    """
    side = np.tanh((own.vertices[own.movable] - frame[:3, 3]) @ frame[:3, 0] / 4.0)
    direction = np.array([0.0, -0.8, 0.25]) + np.outer(side, [-0.55, 0.0, 0.0])
    direction = sign * direction @ frame[:3, :3].T
    return np.asarray(direction / np.linalg.norm(direction, axis=1, keepdims=True))


def _pushes(own: _Side, other: _Side, gap_mm: float, way_out: NDArray) -> tuple[NDArray, NDArray]:
    """Vertices of ``own`` that are too near to ``other`` or inside it, and where to push them: indices, [N, 3] mm.

    way_out: [N, 3] the right way for each movable vertex: deep inside, the nearest surface may be the far side,
    and a facet would pass through its partner. Distances are to the tangent planes at the three nearest vertices:
    good to a fraction of a millimetre near the surface, which is where it matters.
    """
    if not len(own.movable):
        return own.movable, np.zeros((0, 3))
    normals = other.normals()
    points = other.vertices[other.part]
    distance, nearest = cKDTree(points).query(own.vertices[own.movable], k=3, distance_upper_bound=_SEARCH_MM)
    found = np.isfinite(distance).all(axis=1)
    index, distance, nearest = own.movable[found], distance[found], nearest[found]
    heights = np.einsum("nki,nki->nk", own.vertices[index, None] - points[nearest], normals[nearest])
    weights = 1 / np.maximum(distance, 0.1) ** 2
    signed = (weights * heights).sum(1) / weights.sum(1)
    direction = (weights[..., None] * normals[nearest]).sum(1)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    right_way = way_out[found]
    along = np.einsum("ni,ni->n", direction, right_way)[:, None]
    direction = np.where(along < 0.2, direction + (0.5 - along) * right_way, direction)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    touching = signed < gap_mm - _TOLERANCE_MM
    depth = np.minimum((gap_mm - signed[touching]) / 2, _STEP_MM)
    return index[touching], depth[:, None] * direction[touching]
