"""The spine as a chain: which candidate centres are the vertebral bodies, from the sacrum upwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri2mesh.engines.mri2mesh.localisation.peaks import Peak

SPACING_RANGE_MM = (16.0, 52.0)
"""Distance between the centres of neighbouring bodies: from collapsed lower thoracic to tall lumbar ones."""

MAX_TILT_DEG = 60.0
"""Largest angle between the line through neighbouring centres and the patient's long axis; L5 to S1 in a steep sacrum
comes close."""

ACCEPT = 0.3
"""A candidate with this score neither helps nor hurts the chain; better ones are wanted in it."""


@dataclass(frozen=True)
class Chain:
    """Bodies from the lowest upwards; discs[i] lies below bodies[i] (None where unseen); s1 where it was found."""

    bodies: list[Peak]
    discs: list[Peak | None]
    s1: Peak | None


def _link(lower: Peak, upper: Peak, discs: list[Peak]) -> tuple[float, Peak | None]:
    """Score of two candidates being neighbours (-inf when they cannot be) and the disc between them."""
    step = upper.centre - lower.centre
    distance = float(np.linalg.norm(step))
    if not SPACING_RANGE_MM[0] <= distance <= SPACING_RANGE_MM[1]:
        return -np.inf, None
    if step[2] < distance * np.cos(np.radians(MAX_TILT_DEG)):
        return -np.inf, None
    between = disc_between_centres(lower, upper, discs)
    # a disc between them is good evidence; without one a long step may hide a body
    return (0.5 * between.score if between else -0.15 - 0.01 * max(distance - 38.0, 0.0)), between


def disc_between_centres(lower: Peak, upper: Peak, discs: list[Peak]) -> Peak | None:
    """The best disc candidate near the middle of the line between two centres."""
    middle = (lower.centre + upper.centre) / 2
    reach = 0.35 * float(np.linalg.norm(upper.centre - lower.centre))
    near = [disc for disc in discs if np.linalg.norm(disc.centre - middle) < reach]
    return max(near, key=lambda disc: disc.score, default=None)


def build_chain(bodies: list[Peak], discs: list[Peak], s1_candidates: list[Peak]) -> Chain:
    """The best-scoring chain of bodies (dynamic programming from caudal to cranial), anchored at S1 when one is seen.

    Spinous processes and blobs in the far field fall out: they have no discs between them and do not line up.
    """
    bodies = sorted(bodies, key=lambda peak: peak.centre[2])
    count = len(bodies)
    best = np.full(count, -np.inf)
    previous = np.full(count, -1)
    below: list[Peak | None] = [None] * count
    anchor: list[Peak | None] = [None] * count
    for n, body in enumerate(bodies):
        gain = body.score - ACCEPT
        best[n] = gain
        for s1 in s1_candidates:
            link, disc = _link(s1, body, discs)
            if gain + link + s1.score > best[n]:
                best[n], anchor[n], below[n] = gain + link + s1.score, s1, disc
        for m in range(n):
            link, disc = _link(bodies[m], body, discs)
            if best[m] + gain + link > best[n]:
                best[n], previous[n], anchor[n], below[n] = best[m] + gain + link, m, None, disc
    if not count:
        return Chain([], [], max(s1_candidates, key=lambda peak: peak.score, default=None))
    chain: list[int] = []
    n = int(np.argmax(best))
    while n >= 0:
        chain.append(n)
        n = int(previous[n])
    chain.reverse()
    found = [bodies[n] for n in chain]
    lowest_disc = below[chain[0]]
    if lowest_disc is None:
        lowest_disc = _disc_under(found, discs)
    return Chain(found, [lowest_disc, *(below[n] for n in chain[1:])], anchor[chain[0]])


def _disc_under(found: list[Peak], discs: list[Peak]) -> Peak | None:
    """The disc just below the lowest body when no S1 was seen."""
    if len(found) < 2:
        return None
    step = found[1].centre - found[0].centre
    expected = found[0].centre - step / 2
    near = [disc for disc in discs if np.linalg.norm(disc.centre - expected) < 0.4 * np.linalg.norm(step)]
    return max(near, key=lambda disc: disc.score, default=None)
