"""Measures between two vertebrae: height and angle of the disc space, slip; and of the whole lumbar spine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from mri2mesh.measures.bodies import angle_between, chord
from mri2mesh.measures.measure import Lines, Taken, distance, straight, unit_vector
from mri2mesh.measures.vertebra import BACK, FRONT, MIDDLE, Level

HEIGHTS = (("disc_height_anterior", FRONT), ("disc_height_middle", MIDDLE), ("disc_height_posterior", BACK))


def space_measures(place: str, upper: Level, lower: Level) -> Iterator[Taken]:
    """Of the space between two neighbours. Raises NotMeasurable where one lacks the endplate towards the other."""
    above, below = upper.inferior, lower.superior
    for key, share in HEIGHTS:
        yield Taken(key, place, (below.at(share), above.at(share)), distance, one_line)
    yield angle_between("disc_angle", place, above, below, unit_vector(upper.right + lower.right))
    slip_points = (above.back, chord(below))

    def slip(corner: NDArray, plate: NDArray) -> NDArray[np.float64]:
        return _forward(corner, plate)[0]

    def percent(corner: NDArray, plate: NDArray) -> NDArray[np.float64]:
        forward, depth = _forward(corner, plate)
        return 100 * forward / depth

    yield Taken("slip", place, slip_points, slip, _slip_lines)
    yield Taken("slip_percent", place, slip_points, percent, _slip_lines)


def lordosis(levels: Mapping[str, Level]) -> Iterator[Taken]:
    """L1 to S1; says what is missing where one of them is not there."""
    gone = [name for name in ("L1", "S1") if name not in levels]
    if gone:
        yield Taken("lumbar_lordosis", "L1-S1", missing=f"{' and '.join(gone)}: not in the result")
        return
    top, bottom = levels["L1"], levels["S1"]
    right = unit_vector(top.right + bottom.right)
    yield angle_between("lumbar_lordosis", "L1-S1", top.superior, bottom.superior, right)


def one_line(*points: NDArray) -> Lines:
    """A single polyline through single points [1, 3]."""
    return [np.concatenate(points)]


def _forward(corner: NDArray, plate: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much the corner [..., 1, 3] lies in front of the plate's back end, along the plate, and its depth."""
    along = plate[..., 1, :] - plate[..., 0, :]
    depth = np.linalg.norm(along, axis=-1)
    return ((corner[..., 0, :] - plate[..., 0, :]) * along).sum(axis=-1) / depth, depth


def _slip_lines(corner: NDArray, plate: NDArray) -> Lines:
    """The lower plate, and the way from its back end to the foot of the corner, and up to the corner."""
    along = unit_vector(plate[1] - plate[0])
    foot = plate[0] + ((corner[0] - plate[0]) @ along) * along
    return straight(plate, np.stack([plate[0], foot, corner[0]]))
