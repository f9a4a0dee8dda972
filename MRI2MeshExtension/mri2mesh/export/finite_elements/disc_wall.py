"""The outer wall of a disc between the rims of two endplates: from rim to rim, as round as the disc was or less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.mesh import Mesh

_MOST_BULGE, _MOST_WAIST = 0.35, 0.1
"""How far the wall may stand out or in at half height, as shares of the height there."""
_SMOOTHING = 4


class Rim:
    """A closed line of points, counter-clockwise seen from the head, by the angle about an axis.

    points: [N, 3] mm. numbers: [N] their numbers in the assembly. angles: [N] rising, over one turn.
    """

    def __init__(self, points: NDArray, numbers: NDArray, frame: NDArray, centre: NDArray) -> None:
        angles = _angles(points, frame, centre)
        if angles[-1] < angles[0]:
            points, numbers = points[::-1], numbers[::-1]
            angles = _angles(points, frame, centre)
        first = int(np.argmin(np.mod(angles, 2 * np.pi)))
        self.points, self.numbers = np.roll(points, -first, axis=0), np.roll(numbers, -first)
        angles = _angles(self.points, frame, centre)
        angles += -2 * np.pi * np.floor(angles[0] / (2 * np.pi))
        # a rim may turn back a little; equal steps mixed in keep the angles rising
        steps = np.maximum(np.diff(angles, append=angles[0] + 2 * np.pi), 0) + 0.25 * 2 * np.pi / len(angles)
        self.angles = angles[0] + np.concatenate([[0], np.cumsum(steps)[:-1]]) * 2 * np.pi / steps.sum()

    def at(self, angles: NDArray) -> NDArray[np.float64]:
        """[M, 3] points of the line at these angles."""
        turn = self.angles[0] + np.mod(angles - self.angles[0], 2 * np.pi)
        known = np.append(self.angles, self.angles[0] + 2 * np.pi)
        closed = np.vstack([self.points, self.points[:1]])
        return np.stack([np.interp(turn, known, closed[:, axis]) for axis in range(3)], axis=1)

    @property
    def length_mm(self) -> float:
        return float(np.linalg.norm(self.points - np.roll(self.points, 1, axis=0), axis=1).sum())


def _angles(points: NDArray, frame: NDArray, centre: NDArray) -> NDArray[np.float64]:
    flat = (points - centre) @ frame[:2].T
    return np.unwrap(np.arctan2(flat[:, 1], flat[:, 0]))


def wall_between(
    upper: Rim,
    lower: Rim,
    disc: Mesh,
    frame: NDArray,
    edge_length_mm: float,
    first_number: int,
    roundness: float = 1.0,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """New points [P, 3] between two rims and triangles [T, 3], facing out, of them and the rims' own points.

    disc: the surface whose roundness the wall takes over. frame: rows right, front, up. first_number: of the first new
    point. roundness: 1 for a wall that at half height lies on the disc's surface, as far as `_MOST_BULGE` and
    `_MOST_WAIST` allow; 0 for a straight one from rim to rim; -1 for one that stands in as far as `_MOST_WAIST` allows.
    """
    radius = (upper.length_mm + lower.length_mm) / (4 * np.pi)
    around = max(round(2 * np.pi * radius / edge_length_mm), 8)
    fine = np.arange(2 * around) * np.pi / around
    height = np.linalg.norm(upper.at(fine) - lower.at(fine), axis=1)
    rows = max(round(height.mean() / (0.87 * edge_length_mm)) - 1, 1)
    if roundness < 0:
        bulge = roundness * _MOST_WAIST * height
    else:
        bulge = roundness * _bulge(upper, lower, disc, fine, height)
    angle = np.concatenate(
        [(np.arange(around) + 0.5 * (row % 2)) * 2 * np.pi / around for row in range(1, rows + 1)]
    )
    share = np.repeat(np.arange(1, rows + 1) / (rows + 1), around)
    straight = (1 - share)[:, None] * upper.at(angle) + share[:, None] * lower.at(angle)
    outward = _outward(upper, lower, angle, frame)
    out = np.interp(np.mod(angle, 2 * np.pi), np.append(fine, 2 * np.pi), np.append(bulge, bulge[0]))
    points = straight + (4 * share * (1 - share) * out)[:, None] * outward
    flat = np.concatenate(
        [
            np.stack([upper.angles * radius, np.zeros(len(upper.angles))], axis=1),
            np.stack([lower.angles * radius, np.full(len(lower.angles), height.mean())], axis=1),
            np.stack([angle * radius, share * height.mean()], axis=1),
        ]
    )
    numbers = np.concatenate([upper.numbers, lower.numbers, first_number + np.arange(len(points))])
    return points, numbers[_triangles_around(flat, 2 * np.pi * radius)]


def _bulge(upper: Rim, lower: Rim, disc: Mesh, fine: NDArray, height: NDArray) -> NDArray[np.float64]:
    """[M] millimetres that the wall stands out at half height: what lies between there and the disc's surface."""
    middle = (upper.at(fine) + lower.at(fine)) / 2
    out = np.clip(-signed_distance(middle, disc), -_MOST_WAIST * height, _MOST_BULGE * height)
    for _ in range(_SMOOTHING):
        out = (np.roll(out, 1) + 2 * out + np.roll(out, -1)) / 4
    return out


def _outward(upper: Rim, lower: Rim, angle: NDArray, frame: NDArray) -> NDArray[np.float64]:
    """[N, 3] unit directions away from the axis, at right angles to the line around the disc and to the axis."""
    step = 0.05
    middle = lambda a: (upper.at(a) + lower.at(a)) / 2  # noqa: E731
    along = middle(angle + step) - middle(angle - step)
    out = np.cross(along, frame[2])
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-30)


def _triangles_around(flat: NDArray, turn: float) -> NDArray[np.int64]:
    """[T, 3] Delaunay triangles of points on an unrolled cylinder whose ends meet after a turn; facing outward.

    flat: [N, 2] way around counter-clockwise from above, way down.
    """
    count = len(flat)
    three = np.concatenate([flat + [shift * turn, 0] for shift in (-1, 0, 1)])
    triangles = Delaunay(three).simplices
    start = flat[:, 0].min()
    centre = three[triangles, 0].mean(axis=1)
    triangles = triangles[(centre >= start) & (centre < start + turn)]
    a, b, c = (three[triangles[:, k]] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    triangles, area = triangles[np.abs(area) > 1e-9], area[np.abs(area) > 1e-9]
    # around counter-clockwise and down: seen from outside, that turns clockwise
    triangles[area > 0] = triangles[area > 0][:, ::-1]
    return triangles % count
