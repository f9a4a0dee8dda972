"""Vertebrae put one on the other: turned as planned, a disc apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.discs import Endplate
from mri2mesh.anatomy.population import rotations_from_angles
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.spine_plan import SpinePlan
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import rotation_between

_MIN_CLEAR_MM = 2.2
"""Least distance between facing endplates anywhere, so that a disc always fits."""


def stack(local: dict[str, Mesh], plan: SpinePlan, first: int) -> dict[str, NDArray[np.float64]]:
    """4x4 of every level: turned as planned, each lower endplate one disc height above the next upper
    endplate."""
    names = [*VERTEBRA_LEVELS[first:], "S1"]
    rotations = [
        *rotations_from_angles(plan.posture.angles[first:]),
        rotations_from_angles(plan.sacrum_angles),
    ]
    origins = [np.zeros(3)]
    for k, upper in enumerate(names[:-1]):
        i, lower = first + k, names[k + 1]
        turned = [
            local[name].with_vertices(local[name].vertices @ rotations[k + j].T)
            for j, name in ((0, upper), (1, lower))
        ]
        above = Endplate.of(turned[0], Region.INFERIOR_ENDPLATE, rotations[k][:, 2])
        below = Endplate.of(turned[1], Region.SUPERIOR_ENDPLATE, rotations[k + 1][:, 2])
        if lower == "S1":
            # The sacral slope is that of the endplate, whatever the frame of the body of S1 does.
            rotations[-1] = rotation_between(below.normal, rotations[-1][:, 2])[:3, :3] @ rotations[-1]
            turned[1] = local[lower].with_vertices(local[lower].vertices @ rotations[-1].T)
            below = Endplate.of(turned[1], Region.SUPERIOR_ENDPLATE, rotations[-1][:, 2])
        up = above.normal + below.normal
        up /= np.linalg.norm(up)
        forward = rotations[k][:, 1] + rotations[k + 1][:, 1]
        forward -= (forward @ up) * up
        forward /= np.linalg.norm(forward)
        step = _offset(plan, i, above, below, up) if lower != "S1" else 0.0 * up
        step = step + plan.slips_mm[i] * forward
        height = plan.disc_heights[i] + _shortfall(above, below, up, step, plan.disc_heights[i])
        origins.append(origins[-1] + above.centre - step - height * up - below.centre)
    centre = origins[names.index("L3")] if "L3" in names else origins[0]
    frames = {}
    for name, rotation, origin in zip(names, rotations, origins, strict=True):
        frames[name] = np.eye(4)
        frames[name][:3, :3], frames[name][:3, 3] = rotation, origin - centre
    return frames


def _offset(plan: SpinePlan, i: int, above: Endplate, below: Endplate, up: NDArray) -> NDArray[np.float64]:
    """In-plane shift of the upper against the lower endplate that lets the body centres follow the planned
    curve."""
    wanted = plan.posture.centres[i] + above.centre - plan.posture.centres[i + 1] - below.centre
    wanted = wanted - (wanted @ up) * up
    length = float(np.linalg.norm(wanted))
    return np.asarray(wanted * min(1.0, 2.0 / max(length, 1e-9)))


def _shortfall(above: Endplate, below: Endplate, up: NDArray, step: NDArray, height: float) -> float:
    """How much higher the disc must be for the endplates to stay `_MIN_CLEAR_MM` apart everywhere, mm."""
    x = np.cross(up, [0.0, 1.0, 0.0])
    x /= np.linalg.norm(x)
    axes = np.column_stack([x, np.cross(up, x), up])
    roof = (np.concatenate([above.points, above.lip]) - above.centre + step) @ axes
    floor = (np.concatenate([below.points, below.lip]) - below.centre) @ axes
    low, high = np.full(400, np.inf), np.full(400, -np.inf)
    for points, store, best in ((roof, low, np.minimum), (floor, high, np.maximum)):
        cell = np.clip(np.floor(points[:, :2] / 4.0).astype(int) + 10, 0, 19)
        best.at(store, cell[:, 0] * 20 + cell[:, 1], points[:, 2])
    room = low - high
    return max(0.0, _MIN_CLEAR_MM - (float(room[np.isfinite(room)].min()) + height))
