"""Where the scan lies: how the patient is turned in it, and what part of the body it covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.geometry.volume import Volume
from mri2mesh.synthesis.mr.spine_access import body_centre, moved


@dataclass(frozen=True)
class FieldOfView:
    """Ranges, mm, from which the box is drawn: left-right, antero-posterior, along the body."""

    left_right: tuple[float, float] = (38.0, 110.0)
    depth: tuple[float, float] = (150.0, 340.0)
    length: tuple[float, float] = (170.0, 380.0)
    max_turn: float = 15.0


def turned(spine: SpineSample, rng: np.random.Generator, max_turn: float) -> SpineSample:
    """The spine turned about L3 by up to `max_turn` degrees about each axis, mostly much less."""
    angles = np.clip(rng.normal(0, max_turn * rng.choice([0.12, 0.4]), 3), -max_turn, max_turn)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    centre = body_centre(spine, "L3")
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre
    return moved(spine, matrix)


def random_grid(spine: SpineSample, rng: np.random.Generator, ranges: FieldOfView) -> Volume:
    """A 1 mm grid along RAS (array: zeros, a view) with the lumbar spine mostly in it.

    Often all of L1 to S1 is inside; sometimes the upper or the lower end is cut off, or the bodies lie far
    off centre. Left-right the box follows the middle of the lumbar bodies.
    """
    bodies = np.array([body_centre(spine, name) for name in ("L1", "L2", "L3", "L4", "L5", "S1")])
    width, depth, length = (
        rng.triangular(low, low + mode * (high - low), high)
        for (low, high), mode in zip(
            (ranges.left_right, ranges.depth, ranges.length), (0.35, 0.45, 0.5), strict=True
        )
    )
    x = bodies[:, 0].mean() + rng.normal(0, 0.07 * width)
    behind = np.clip(rng.normal(0.38, 0.07), 0.25, 0.55) * depth  # share of the box behind the bodies
    y = bodies[:, 1].mean() - behind + depth / 2
    spare = length - (bodies[0, 2] - bodies[-1, 2] + 50)
    z = (bodies[0, 2] + bodies[-1, 2]) / 2 + rng.uniform(-0.45, 0.45) * max(spare, 20)
    if rng.random() < 0.35:  # an end of the lumbar spine is cut off: the sacrum, or L1 and perhaps L2
        z += rng.choice([-1, 1]) * (max(spare, 0) / 2 + rng.uniform(15, 60))
    size = np.rint([width, depth, length]).astype(int)
    matrix = np.eye(4)
    matrix[:3, 3] = np.array([x, y, z]) - (size - 1) / 2
    return Volume(np.broadcast_to(np.zeros(1, np.uint8), tuple(size[::-1])), matrix)


def spine_line(spine: SpineSample, grid: Volume) -> NDArray[np.float64]:
    """[2] slope and intercept of j against k, in voxels, through the centres of the lumbar bodies."""
    centres = np.array([body_centre(spine, name) for name in ("L1", "L2", "L3", "L4", "L5")])
    ijk = grid.ijk_from_ras(centres)
    return np.polyfit(ijk[:, 2], ijk[:, 1], 1)
