"""A local frame for every body of a chain: +x right, +y anterior, +z superior, origin at the body's centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.localisation.chain import Chain
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.geometry.transforms import frame

CANAL_SLAB_MM = 12.0
CANAL_REACH_MM = 55.0


def _unit(vector: NDArray) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


def _superior_axes(chain: Chain) -> list[NDArray[np.float64]]:
    """Per body: from the disc below to the disc above where both were seen, else the tangent of the centre line."""
    centres = np.array([body.centre for body in chain.bodies])
    line = centres if chain.s1 is None else np.vstack([chain.s1.centre, centres])
    first = len(line) - len(centres)
    if len(line) > 2:
        along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
        tangents = CubicSpline(along, line, bc_type="natural")(along, 1)[first:]
    else:
        tangents = np.repeat(
            (line[-1] - line[0])[None] if len(line) > 1 else [[0.0, 0, 1]], len(centres), axis=0
        )
    axes = []
    for n in range(len(centres)):
        below = chain.discs[n]
        above = chain.discs[n + 1] if n + 1 < len(chain.discs) else None
        seen = below is not None and above is not None
        axes.append(_unit(above.centre - below.centre if seen else tangents[n]))  # type: ignore[union-attr]
    return axes


def _away_from_canal(evidence: Evidence, centre: NDArray, z: NDArray) -> NDArray[np.float64] | None:
    """Direction from the spinal canal at this level to the body's centre, or None where no canal is seen."""
    canal = evidence.semantic[Semantic.CANAL]
    kji = np.argwhere(canal > 0.5)
    if not len(kji):
        return None
    offsets = evidence.ras_from_kji(kji) - centre
    height = offsets @ z
    inplane = offsets - height[:, None] * z
    near = (np.abs(height) < CANAL_SLAB_MM) & (np.linalg.norm(inplane, axis=1) < CANAL_REACH_MM)
    if near.sum() < 8:
        return None
    direction = -inplane[near].mean(0)
    return _unit(direction) if np.linalg.norm(direction) > 5.0 else None


def body_frames(chain: Chain, evidence: Evidence) -> list[NDArray[np.float64]]:
    """4x4 local to RAS for each body of the chain, from the lowest upwards.

    The anterior direction is taken from the canal, averaged with the neighbours' because a spine turns slowly.
    """
    axes = _superior_axes(chain)
    found = [_away_from_canal(evidence, body.centre, z) for body, z in zip(chain.bodies, axes, strict=True)]
    anterior = np.array([[0.0, 1.0, 0.0] if y is None else y for y in found])
    weight = np.array([0.2 if y is None else 1.0 for y in found])
    frames = []
    for n, (body, z) in enumerate(zip(chain.bodies, axes, strict=True)):
        near = slice(max(n - 1, 0), n + 2)
        y = (anterior[near] * weight[near, None]).sum(0) + weight[n] * anterior[n]
        frames.append(frame(body.centre, z, y))
    return frames


S1_TURN_DEG = 13.5
S1_SCALE = (0.95, 0.97, 0.92)
"""Of S1's template against the line to the disc above, about its right-left axis, and against L5's size: the means of
the spines that synthetic cases are made from (the turn's standard deviation is 2.5 degrees)."""


def sacrum_frame(chain: Chain, lowest: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """4x4 of S1: placed by the line to the disc L5-S1 (or to L5), facing the way L5 does, about as large."""
    if chain.s1 is None:
        return None
    target = chain.discs[0].centre if chain.discs and chain.discs[0] is not None else lowest[:3, 3]
    turned = frame(chain.s1.centre, target - chain.s1.centre, lowest[:3, 1])
    width, depth, _ = np.linalg.norm(lowest[:3, :3], axis=0)
    turn = Rotation.from_euler("x", S1_TURN_DEG, degrees=True).as_matrix()
    turned[:3, :3] = turned[:3, :3] @ turn * np.sqrt(width * depth) * np.array(S1_SCALE)
    return turned
