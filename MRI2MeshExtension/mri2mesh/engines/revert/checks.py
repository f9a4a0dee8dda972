"""How far the vertebrae of one film can be trusted, beside what holds for all bones from dense maps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.engines.dense_maps.completion.complete import Completion
from mri2mesh.quality.overlap import MAX_PENETRATION_MM
from mri2mesh.reconstruction import Check

SPACING_MM = (20.0, 52.0)
"""Between the middles of neighbouring bodies: 24 to 45 in people (the population's landmarks), widened by what a film
does not show."""
MOST_APART_MM = 8.0
MOST_TURN_DEG = 60.0
LEAST_SHADOW = 0.3
"""Agreement of a film's edges with a vertebra's shadow: 0.46 to 0.72 where vertebrae were, 0 to 0.27 in a picture of a
pelvis alone."""
LEAST_AT_CLICK = 0.35
"""Presence of T11 to L5 together where a vertebra was picked: hardly any in chests and hips."""
LEAST_SEEN = 0.3
"""Share of a vertebra's surface that samples must speak for."""


def click_check(name: str, presence: float) -> Check:
    """Whether the network of whole films sees a vertebra between T11 and L5 where one was picked. presence: 0 to 1."""
    detail = f"a vertebra of the lumbar region is seen where {name} was picked ({presence:.2f})"
    if presence < LEAST_AT_CLICK:
        detail = (
            f"no vertebra of the lumbar region is seen where {name} was picked ({presence:.2f}): is this a view of the "
            "lumbar spine, and is that its name?"
        )
    passed = presence >= LEAST_AT_CLICK
    return Check("lumbar at the click", presence, LEAST_AT_CLICK, passed, detail, name)


def shadow_check(name: str, agreement: float) -> Check:
    """Whether the film itself shows the finished vertebra, whatever the networks saw. agreement: 0 to 1."""
    detail = f"the film's edges agree by {agreement:.2f} with the shadow of the finished vertebra"
    return Check("shadow in the film", agreement, LEAST_SHADOW, agreement >= LEAST_SHADOW, detail, name)


def overlap_limit(upper: Completion, lower: Completion, scale: float) -> float:
    """How deep one vertebra may reach into the next, mm: two standard deviations of where both are, against each
    other. scale: of the result's millimetres to those of the completions."""
    own, other = (float(np.sqrt(np.mean(one.uncertainty_mm**2))) for one in (upper, lower))
    return max(MAX_PENETRATION_MM, 2 * scale * float(np.hypot(own, other)))


def chain_check(centres: Mapping[str, NDArray]) -> Check | None:
    """Whether neighbouring bodies lie as far apart as they do in people, and none is left out between two. centres:
    name -> [3] mm; None for a single vertebra."""
    names = sorted(centres, key=VERTEBRAE.index)
    pairs = list(pairwise(names))
    if not pairs:
        return None
    worst, where, steps = 0.0, "", 0
    for upper, lower in pairs:
        step = VERTEBRAE.index(lower) - VERTEBRAE.index(upper)
        apart = float(np.linalg.norm(centres[lower] - centres[upper])) / step
        beyond = max(SPACING_MM[0] - apart, apart - SPACING_MM[1], 0.0)
        steps += step > 1
        if beyond > worst:
            worst, where = beyond, f"{upper} and {lower} are {apart:.0f} mm apart"
    detail = where or "neighbouring bodies are as far apart as in people"
    if steps:
        detail = f"{detail}; a vertebra between two others is not seen"
    return Check("vertebrae follow one another", worst, 0.0, not worst and not steps, detail)
