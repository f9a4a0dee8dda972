"""How large each vertebral body is, and where its middle is, from the moments of what the localiser calls body.

A frame then carries the size: its axes are as long as the vertebra is larger than the template. The deformation
network sees every vertebra at the size of the template and only has its shape to find.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.localisation.sides import (
    completed,
    cut_sides,
    sections,
    width_from_others,
)
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM
from mri2mesh.geometry.transforms import apply
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

REACH_MM = (42.0, 34.0)
"""Half width and half depth of the box a body is looked for in."""

SCALE_RANGE = (0.6, 1.6)
MIN_SEEN_MM3 = 1500.0
"""Least volume from which a body's size is measured; a lumbar body has some 40,000 cubic millimetres."""

OWN_WEIGHT = 0.7
"""Weight of a body's own size against the median of its neighbours': single bodies are seen badly at times."""


@lru_cache(maxsize=1)
def template_body_variance() -> NDArray[np.float64]:
    """[3] variance, mm2, of the template body's volume along its axes."""
    matrix = np.eye(4)
    matrix[:3, 3] = -40
    grid = Volume(np.zeros((81, 81, 81), np.uint8), matrix)
    inside = np.argwhere(voxelise(body_of(template("vertebra")), grid))[:, ::-1]
    return np.asarray(inside.var(axis=0), dtype=np.float64)


def sized_frames(
    frames: list[NDArray[np.float64]], evidence: Evidence, cut: list[bool] | None = None
) -> list[NDArray[np.float64]]:
    """Frames (4x4 local to RAS, rigid, from the lowest body upwards) recentred and scaled to each body.

    cut: bodies that the image shows in part; they stay where they are and get their neighbour's size.
    """
    body = evidence.semantic[Semantic.BODY]
    kji = np.argwhere(body > 0.25)
    points, weights = evidence.ras_from_kji(kji), body[tuple(kji.T)].astype(np.float64)
    measured = [_measure(n, frames, points, weights) for n in range(len(frames))]
    for n, partly in enumerate(cut or []):
        if partly:
            measured[n] = np.zeros(3), measured[1 if n == 0 else n - 1][1]
    measured = _completed_sideways(frames, evidence, points, weights, measured)
    median = np.median([scale for _, scale in measured], axis=0)
    sized = []
    for frame, (shift, scale) in zip(frames, measured, strict=True):
        own = scale**OWN_WEIGHT * median ** (1 - OWN_WEIGHT)
        result = frame.copy()
        result[:3, 3] = apply(frame, shift)
        result[:3, :3] = frame[:3, :3] * own
        sized.append(result)
    return sized


def _completed_sideways(
    frames: list[NDArray[np.float64]],
    evidence: Evidence,
    points: NDArray,
    weights: NDArray,
    measured: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """What was measured; bodies of which the image cuts off one side as wide as whole ones nearby (`sides`)."""
    seen, cuts = [], []
    for n, frame in enumerate(frames):
        local, chosen = _around(n, frames, points)
        enough = weights[chosen].sum() * np.prod(SPACING_MM) >= MIN_SEEN_MM3
        found = sections(local[chosen], weights[chosen]) if enough else None
        seen.append(found)
        cuts.append(cut_sides(found, frame, evidence) if found is not None else (True, True))
    whole = [not any(sides) for sides in cuts]
    result = []
    for n, (shift, scale) in enumerate(measured):
        found = seen[n]
        wide = width_from_others(n, [float(each[0]) for _, each in measured], whole)
        if found is not None and wide is not None and sum(cuts[n]) == 1 and wide > scale[0]:
            shift = np.array([completed(found, cuts[n], wide), *shift[1:]])
            scale = np.array([wide, *scale[1:]])
        result.append((shift, scale))
    return result


def _around(n: int, frames: list[NDArray[np.float64]], points: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Points in a body's frame, and which of them lie in the box that it is looked for in."""
    local = apply(np.linalg.inv(frames[n]), points)
    below, above = _half_way(n, frames)
    chosen = (
        (np.abs(local[:, 0]) < REACH_MM[0])
        & (np.abs(local[:, 1]) < REACH_MM[1])
        & (local[:, 2] > below)
        & (local[:, 2] < above)
    )
    return local, chosen


def _measure(
    n: int, frames: list[NDArray[np.float64]], points: NDArray, weights: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift of the centre, local mm, and scale against the template, each [3]; none where too little is seen."""
    local, chosen = _around(n, frames, points)
    if weights[chosen].sum() * np.prod(SPACING_MM) < MIN_SEEN_MM3:
        return np.zeros(3), np.ones(3)
    centre = np.average(local[chosen], axis=0, weights=weights[chosen])
    variance = np.average((local[chosen] - centre) ** 2, axis=0, weights=weights[chosen])
    # The voxels are boxes: their own variance, turned into the local axes, is not the body's.
    box = (frames[n][:3, :3].T ** 2) @ (np.array(SPACING_MM) ** 2 / 12)
    scale = np.sqrt(np.clip(variance - box, 1.0, None) / template_body_variance())
    return np.clip(centre, -8, 8), np.clip(scale, *SCALE_RANGE)


def _half_way(n: int, frames: list[NDArray[np.float64]]) -> tuple[float, float]:
    """Heights, local mm, half way to the neighbours below and above; as far as the other where there is none."""
    to_local = np.linalg.inv(frames[n])
    heights = [
        apply(to_local, frames[m][:3, 3])[2] / 2 if 0 <= m < len(frames) else None for m in (n - 1, n + 1)
    ]
    below = heights[0] if heights[0] is not None else -(heights[1] or 18.0)
    above = heights[1] if heights[1] is not None else -(heights[0] or -18.0)
    return float(below), float(above)
