"""Measures of vertebral bodies: heights, wedge, endplates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import Region
from mri2mesh.measures.measure import Lines, Taken, distance, straight
from mri2mesh.measures.points import Points, at_vertices
from mri2mesh.measures.vertebra import BACK, FRONT, MIDDLE, Endplate, Level, backward_lean, normal_of

HEIGHTS = (("body_height_anterior", FRONT), ("body_height_middle", MIDDLE), ("body_height_posterior", BACK))


def body_measures(level: Level) -> Iterator[Taken]:
    """Of a vertebra. Raises NotMeasurable where it lacks an endplate."""
    top, bottom = level.superior, level.inferior
    for key, share in HEIGHTS:
        pair = bottom.at(share).followed_by(top.at(share))
        yield Taken(key, level.name, (pair,), distance)
    yield angle_between("wedge_angle", level.name, top, bottom, level.right)
    yield from endplate_size(level, "superior")
    yield from endplate_size(level, "inferior")


def endplate_size(level: Level, which: Literal["superior", "inferior"]) -> Iterator[Taken]:
    """Width and depth of one endplate."""
    plate = level.superior if which == "superior" else level.inferior
    region = Region.SUPERIOR_ENDPLATE if plate.up else Region.INFERIOR_ENDPLATE
    own = np.flatnonzero(np.asarray(level.mesh.regions) == region)
    across = level.own(level.mesh.vertices[own])[:, 0]
    ends = at_vertices(level.name, own[[across.argmin(), across.argmax()]])
    right = level.right

    def width(points: NDArray) -> NDArray[np.float64]:
        return (points[..., 1, :] - points[..., 0, :]) @ right

    yield Taken(f"{which}_endplate_width", level.name, (ends,), width)
    yield Taken(f"{which}_endplate_depth", level.name, (plate.back.followed_by(plate.front),), distance)


def angle_between(key: str, place: str, upper: Endplate, lower: Endplate, right: NDArray) -> Taken:
    """Degrees between two endplates in the plane across ``right`` [3]; positive where they open to the front."""
    signs = [1.0 if plate.up else -1.0 for plate in (upper, lower)]

    def angle(a: NDArray, b: NDArray, c: NDArray, d: NDArray, *_chords: NDArray) -> NDArray[np.float64]:
        leans = [
            backward_lean(sign * normal_of(start, end), right)
            for sign, start, end in zip(signs, (a, c), (b, d), strict=True)
        ]
        return leans[0] - leans[1]

    def lines(_a: NDArray, _b: NDArray, _c: NDArray, _d: NDArray, *chords: NDArray) -> Lines:
        return straight(*chords)

    return Taken(key, place, (*upper.edge, *lower.edge, chord(upper), chord(lower)), angle, lines)


def chord(plate: Endplate) -> Points:
    """From the back edge to the front edge in the mid-sagittal plane."""
    return plate.back.followed_by(plate.front)
