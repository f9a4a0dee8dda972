"""What measures of a vertebra, or of S1, are taken from: its axes, and its endplates in the mid-sagittal plane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.measures import local_frame
from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.plane_cut import PlaneCut, plane_cut
from mri2mesh.measures.measure import unit_vector
from mri2mesh.measures.points import Points, at_vertices, between

FRONT, MIDDLE, BACK = 0.9, 0.5, 0.1
"""Shares of an endplate's depth, from its back edge, at which heights are taken: at the edges themselves a surface of
triangles is rounded, and a height there would measure the rounding."""


class NotMeasurable(Exception):
    """A surface has no such part; the reason is its text."""


@dataclass(frozen=True)
class Endplate:
    """One endplate. edge: its boundary, start and end of each directed edge. back, front: one point each, where the
    mid-sagittal plane leaves it. up: whether its outward side is the upper one."""

    edge: tuple[Points, Points]
    back: Points
    front: Points
    up: bool
    _cut: PlaneCut
    _along: NDArray[np.float64]

    def at(self, share: float) -> Points:
        """One point of the mid-sagittal profile: so far along its depth, 0 at the back edge, 1 at the front edge."""
        low, high = self._along.min(axis=1), self._along.max(axis=1)
        there = np.flatnonzero((low <= share) & (share <= high))
        if not len(there):
            there = np.abs((low + high) / 2 - share).argmin()[None]
        segment = int(there[0])
        first, second = self._along[segment]
        t = 0.5 if first == second else float(np.clip((share - first) / (second - first), 0, 1))
        a, b = (_on_edge(self.back.structure, self._cut, segment, end) for end in (0, 1))
        return between(a, b, t)


@dataclass(frozen=True)
class Level:
    """A vertebra, or S1, with region labels. frame: 4x4 from its own axes (x right, y front, z up) to patient RAS."""

    name: str
    mesh: Mesh
    frame: NDArray[np.float64]

    @property
    def right(self) -> NDArray[np.float64]:
        """[3] unit vector to the patient's right."""
        return self.frame[:3, 0]

    @cached_property
    def middle(self) -> PlaneCut:
        """Where the mid-sagittal plane cuts the surface."""
        return plane_cut(self.mesh, self.frame[:3, 3], self.right)

    @cached_property
    def superior(self) -> Endplate:
        """Raises NotMeasurable where there is none."""
        return self._endplate(Region.SUPERIOR_ENDPLATE, True)

    @cached_property
    def inferior(self) -> Endplate:
        """Raises NotMeasurable where there is none."""
        return self._endplate(Region.INFERIOR_ENDPLATE, False)

    def in_regions(self, *regions: Region) -> NDArray[np.bool_]:
        """[F] faces whose corners all lie in these regions."""
        corners = np.isin(np.asarray(self.mesh.regions), regions)[self.mesh.faces]
        return np.asarray(corners.all(axis=1))

    def own(self, points: NDArray) -> NDArray[np.float64]:
        """[..., 3] points in its own axes."""
        return (np.asarray(points, dtype=np.float64) - self.frame[:3, 3]) @ self.frame[:3, :3]

    def _endplate(self, region: Region, up: bool) -> Endplate:
        inside = self.in_regions(region)
        cut = self.middle.of_faces(inside[self.middle.faces])
        if len(cut.faces) < 3:
            raise NotMeasurable(f"{self.name} has no {'upper' if up else 'lower'} endplate in its middle")
        depth = self.own(cut.segments(self.mesh.vertices))[..., 1]
        back, front = (np.unravel_index(pick(depth), depth.shape) for pick in (np.argmin, np.argmax))
        along = (depth - depth[back]) / (depth[front] - depth[back])
        ends = [_on_edge(self.name, cut, int(segment), int(end)) for segment, end in (back, front)]
        return Endplate(boundary(self.name, self.mesh.faces[inside]), ends[0], ends[1], up, cut, along)


def level_of(name: str, mesh: Mesh, right: NDArray | None = None) -> Level:
    """right: [3] the patient's right, for S1, which has no parts left and right of it to tell by.

    Raises NotMeasurable where the surface has no regions, or not those of a vertebra.
    """
    if mesh.regions is None:
        raise NotMeasurable(f"the surface of {name} has no regions")
    regions = np.asarray(mesh.regions)
    upper = regions == Region.SUPERIOR_ENDPLATE
    if not upper.any():
        raise NotMeasurable(f"the surface of {name} has no endplate")
    if (regions == Region.PEDICLE_LEFT).any() and (regions == Region.PEDICLE_RIGHT).any():
        frame = local_frame(mesh)
        if not np.isfinite(frame).all():
            raise NotMeasurable(f"the surface of {name} lacks parts of a vertebra")
        return Level(name, mesh, frame)
    frame = np.eye(4)
    z = unit_vector(area_vector(*boundary(name, mesh.faces[upper[mesh.faces].all(axis=1)]), mesh.vertices))
    x = np.array([1.0, 0, 0]) if right is None else np.asarray(right, dtype=np.float64)
    x = unit_vector(x - (x @ z) * z)
    frame[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    frame[:3, 3] = mesh.vertices[upper].astype(np.float64).mean(axis=0)
    return Level(name, mesh, frame)


def area_vector(start: Points, end: Points, vertices: NDArray) -> NDArray[np.float64]:
    """[..., 3] twice the area vector of the patch inside a boundary: it depends on its edge alone (Stokes)."""
    return normal_of(start.of(vertices), end.of(vertices))


def normal_of(start: NDArray, end: NDArray) -> NDArray[np.float64]:
    """[..., 3] outward, of any length, of the patch whose directed boundary edges [..., E, 3] go from start to end."""
    middle = start.mean(axis=-2, keepdims=True)
    return np.cross(start - middle, end - middle).sum(axis=-2)


def backward_lean(normal: NDArray, right: NDArray) -> NDArray[np.float64]:
    """[...] degrees by which an upward normal [..., 3] leans backwards, seen along ``right`` [3]."""
    front = unit_vector(np.cross([0.0, 0, 1], right))
    up = np.cross(right, front)
    return np.degrees(np.arctan2(-(normal @ front), normal @ up))


def boundary(name: str, faces: NDArray) -> tuple[Points, Points]:
    """Start and end of each directed edge around some faces [F, 3] of a structure."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    size = int(faces.max()) + 1
    there = edges[:, 0] * size + edges[:, 1]
    back = edges[:, 1] * size + edges[:, 0]
    start, end = edges[~np.isin(there, back)].T
    if not len(start):
        raise NotMeasurable(f"a part of {name} that should have an edge has none")
    return at_vertices(name, start), at_vertices(name, end)


def _on_edge(structure: str, cut: PlaneCut, segment: int, end: int) -> Points:
    share = cut.shares[segment, end]
    return Points(structure, cut.ends[segment, end][None], np.array([[1 - share, share]]))
