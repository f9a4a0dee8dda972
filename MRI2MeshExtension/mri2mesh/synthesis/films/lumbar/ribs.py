"""The lower ribs as tubes, for their shadows: they cross the upper lumbar vertebrae and are what levels are counted by.

Lengths and slopes are those of textbooks, about: the twelfth 8 to 16 cm, the eleventh 16 to 23, those above run on to
the front. The same vertex numbers for all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RIBBED = ("T9", "T10", "T11", "T12")
RINGS, AROUND = 26, 8
RIB_VERTICES = RINGS * AROUND + 2
_LENGTH_MM = {"T9": (250.0, 20.0), "T10": (235.0, 20.0), "T11": (190.0, 22.0), "T12": (115.0, 28.0)}
_SHORTEST_MM = 25.0


def rib_faces(side: str) -> NDArray[np.int64]:
    """[F, 3] of one rib, closed and outward; those of the left are turned, since it is a mirror image."""
    ring, around = np.meshgrid(np.arange(RINGS - 1), np.arange(AROUND), indexing="ij")
    a, b = ring * AROUND + around, ring * AROUND + (around + 1) % AROUND
    c, d = a + AROUND, b + AROUND
    wall = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    first, last = RINGS * AROUND, RINGS * AROUND + 1
    k = np.arange(AROUND)
    after, end = (k + 1) % AROUND, (RINGS - 1) * AROUND
    caps = [
        np.stack([np.full(AROUND, first), after, k], -1),
        np.stack([np.full(AROUND, last), end + k, end + after], -1),
    ]
    faces = np.concatenate([wall, *caps])
    return faces if side == "right" else faces[:, ::-1]


def draw_ribs(frames: dict[str, NDArray], rng: np.random.Generator) -> NDArray[np.float32]:
    """[8 RIB_VERTICES, 3] mm RAS: left and right of each of `RIBBED`, from the frames of those vertebrae."""
    half_width, half_depth = rng.uniform(105, 145), rng.uniform(85, 110)
    slope = rng.uniform(0.30, 0.75)
    scale = float(np.exp(rng.normal(0, 0.06)))
    ribs = []
    for level in RIBBED:
        mean, sd = _LENGTH_MM[level]
        shared = float(np.clip(rng.standard_normal(), -2.5, 2.5))
        for sign in (-1.0, 1.0):  # left, right
            length = scale * (mean + sd * (0.9 * shared + 0.3 * rng.standard_normal()))
            local = _rib(
                max(length, _SHORTEST_MM), half_width, half_depth, slope * rng.uniform(0.9, 1.1), rng
            )
            local = local * [sign, 1.0, 1.0]
            frame = frames[level]
            ribs.append(local @ frame[:3, :3].T + frame[:3, 3])
    return np.concatenate(ribs).astype(np.float32)


def _rib(
    length: float, half_width: float, half_depth: float, slope: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """[RIB_VERTICES, 3] a right rib in the frame of its vertebra: from the joint at its pedicle along the wall of the
    chest, downwards."""
    angle = np.linspace(0.0, 2.6, 400)  # about the middle of the chest, from the back
    wall = np.stack([half_width * np.sin(angle), 0.55 * half_depth - half_depth * np.cos(angle)], 1)
    joint = np.array([17.0, -11.0])
    # From the joint outwards and backwards onto the wall.
    share = np.clip(angle / 0.45, 0, 1)[:, None] ** 0.8
    flat = (1 - share) * (joint + [20 * np.clip(angle[0], 0, 1), 0]) + share * wall
    walked = np.r_[0, np.cumsum(np.linalg.norm(np.diff(flat, axis=0), axis=1))]
    along = np.linspace(0, min(length / np.hypot(1, slope), walked[-1]), RINGS)
    x, y = (np.interp(along, walked, flat[:, axis]) for axis in (0, 1))
    centre = np.stack([x, y, 4.0 - slope * np.maximum(along - 12, 0) + 2.0 * np.sin(along / 40)], 1)
    tangent = np.gradient(centre, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    outwards = np.stack([x, y - 0.55 * half_depth, np.zeros(RINGS)], 1)
    outwards -= (outwards * tangent).sum(1, keepdims=True) * tangent
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    up = np.cross(tangent, outwards)
    taper = np.interp(np.linspace(0, 1, RINGS), [0, 0.08, 0.85, 1], [1.0, 0.85, 1.0, 0.6])[:, None]
    turn = 2 * np.pi * np.arange(AROUND) / AROUND
    height, thickness = rng.uniform(5.5, 7.5), rng.uniform(2.8, 3.8)
    rings = [centre + taper * (thickness * np.cos(t) * outwards + height * np.sin(t) * up) for t in turn]
    tube = np.stack(rings, axis=1).reshape(-1, 3)
    return np.concatenate([tube, centre[:1], centre[-1:]])
