"""The last body at an end of the image: where the image cuts it, its place follows from its neighbours.

What is seen of a cut body is not its middle, nor its size. On 37 synthetic exams with a highest body cut so, its middle
was 6.5 mm off (median) by what is seen of it and 2.6 mm by the step below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence

CUT_WITHIN = 0.33
"""Fraction of the step to its neighbour: with less image than this beyond a centre, a good part of the body is not in
it."""

STEP_RATIO = 0.93
"""Length of an upper step relative to the one below it: the median of T9 to T12 in `vertebra_landmarks`."""


def place_cut_ends(
    frames: list[NDArray[np.float64]], evidence: Evidence, *, sacrum_seen: bool
) -> tuple[list[NDArray[np.float64]], list[bool]]:
    """Frames (4x4, from the lowest body upwards) with cut end bodies moved outwards, and which bodies are cut.

    The direction from the neighbour is kept. A lowest body above a sacrum that was found is never cut.
    """
    placed = [frame.copy() for frame in frames]
    cut = [False] * len(frames)
    if len(frames) < 3:
        return placed, cut
    ends = (
        [(-1, -2, -3, STEP_RATIO)] if sacrum_seen else [(-1, -2, -3, STEP_RATIO), (0, 1, 2, 1 / STEP_RATIO)]
    )
    for end, next_to, third, ratio in ends:
        centre, neighbour, beyond = (frames[n][:3, 3] for n in (end, next_to, third))
        step = float(np.linalg.norm(neighbour - beyond))
        outwards = (centre - neighbour) / np.linalg.norm(centre - neighbour)
        if not _in_image(centre + CUT_WITHIN * step * outwards, evidence):
            cut[end] = True
            reach = max(ratio * step, float(np.linalg.norm(centre - neighbour)))
            placed[end][:3, 3] = neighbour + reach * outwards
    return placed, cut


def _in_image(point: NDArray, evidence: Evidence) -> bool:
    k, j, i = np.round(evidence.kji_from_ras(point)).astype(int)
    inside = all(0 <= n < size for n, size in zip((k, j, i), evidence.inside.shape, strict=True))
    return inside and bool(evidence.inside[k, j, i])
