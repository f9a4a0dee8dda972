"""Measures of the vertebral arch: the depth of the canal and the width of the pedicles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.regions import BODY_REGIONS, Region
from mri2mesh.anatomy.structures import Side
from mri2mesh.geometry.plane_cut import PlaneCut, plane_cut
from mri2mesh.measures.measure import Taken, distance, unit_vector
from mri2mesh.measures.points import Points, between
from mri2mesh.measures.vertebra import Level

ARCH = (
    *(Region.LAMINA, Region.SPINOUS, Region.FACET_SUPERIOR_LEFT, Region.FACET_SUPERIOR_RIGHT),
    *(Region.FACET_INFERIOR_LEFT, Region.FACET_INFERIOR_RIGHT),
)
WALL = 0.3
"""Least share of a wall's direction that points to the side, as a cosine: the rest of the cut is no wall."""
STEPS = 8
"""Places on each segment of a cut that the nearest pair is sought among."""


def arch_measures(level: Level) -> Iterator[Taken]:
    """Of a vertebra with its arch."""
    yield _canal(level)
    sides: tuple[tuple[Side, Region], ...] = (("left", Region.PEDICLE_LEFT), ("right", Region.PEDICLE_RIGHT))
    for side, region in sides:
        yield _pedicle(level, side, region)


def _canal(level: Level) -> Taken:
    """In the mid-sagittal plane, from the back of the body to the nearest place of the arch behind it."""
    cut = level.middle
    height = level.own(cut.segments(level.mesh.vertices)).mean(axis=1)
    wall = cut.of_faces(level.in_regions(*BODY_REGIONS)[cut.faces] & (height[:, 1] < 0))
    arch = cut.of_faces(level.in_regions(*ARCH)[cut.faces])
    if not (len(wall.faces) and len(arch.faces)):
        return Taken("canal_depth", level.name, missing=f"the arch of {level.name} does not reach its middle")
    return Taken("canal_depth", level.name, (_nearest(level, wall, arch),), distance)


def _pedicle(level: Level, side: Side, region: Region) -> Taken:
    """In the plane across the vertebra's axis at half the pedicle's height, the least width between its two walls."""
    of_pedicle = np.asarray(level.mesh.regions) == region
    gone = Taken("pedicle_width", level.name, side=side, missing=f"{level.name} has no {side} pedicle")
    if not of_pedicle.any():
        return gone
    centre = level.mesh.vertices[of_pedicle].astype(np.float64).mean(axis=0)
    cut = plane_cut(level.mesh, centre, level.frame[:3, 2])
    cut = cut.of_faces(of_pedicle[level.mesh.faces[cut.faces]].any(axis=1))
    corner = level.mesh.vertices.astype(np.float64)[level.mesh.faces[cut.faces]]
    outward = unit_vector(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])) @ level.right
    to_midline = outward * (1 if side == "left" else -1)
    inner, outer = (cut.of_faces(sign * to_midline > WALL) for sign in (1, -1))
    if not (len(inner.faces) and len(outer.faces)):
        return gone
    pair = _nearest(level, inner, outer)
    return Taken("pedicle_width", level.name, (pair,), distance, side=side)


def _nearest(level: Level, first: PlaneCut, second: PlaneCut) -> Points:
    """The two points, one on each cut, that lie nearest to each other."""
    shares = (np.arange(STEPS) + 0.5) / STEPS
    places = []
    for cut in (first, second):
        ends = cut.segments(level.mesh.vertices)
        places.append(
            (ends[:, None, 0] + shares[:, None] * (ends[:, None, 1] - ends[:, None, 0])).reshape(-1, 3)
        )
    gaps, nearest = cKDTree(places[1]).query(places[0])
    best = int(np.argmin(gaps))
    pair = [
        _on_segment(level.name, cut, *divmod(int(place), STEPS), shares)
        for cut, place in ((first, best), (second, nearest[best]))
    ]
    return pair[0].followed_by(pair[1])


def _on_segment(structure: str, cut: PlaneCut, segment: int, step: int, shares: NDArray) -> Points:
    ends = [
        Points(structure, cut.ends[segment, end][None], np.array([[1 - share, share]]))
        for end, share in enumerate(cut.shares[segment])
    ]
    return between(ends[0], ends[1], shares[step])
