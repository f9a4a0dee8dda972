"""The spine as a chain: which candidate centres are the vertebral bodies, from the sacrum upwards."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mri2mesh.engines.mri2mesh.localisation.peaks import Peak

SPACING_RANGE_MM = (16.0, 52.0)
"""Distance between the centres of neighbouring bodies: from collapsed lower thoracic to tall lumbar ones."""

MAX_TILT_DEG = 60.0
"""Largest angle between the line through neighbouring centres and the patient's long axis; L5 to S1 in a steep sacrum
comes close."""

ACCEPT = 0.3
"""A candidate with this score neither helps nor hurts the chain; better ones are wanted in it."""


STEP_RATIO = 0.95
"""Of a step between neighbouring bodies to the one below it; `spine_population`: 1.01 at L4 to 0.91 at T8."""

STEP_TOLERANCE = 0.38
"""Of the logarithm of that ratio; of 500 spines of the population none is further off (SD 0.06). A fractured body that
has lost a third of its height shortens the steps on either side by a sixth."""

STEP_ABOVE_L5 = 1.05
SACRAL_TOLERANCE = 0.45
"""Of the step L5 to L4 against the one from S1, which a steep or slipped L5 changes most."""

UNEVEN_COST = 6.0
"""Per unit of the logarithm beyond the tolerance: an additional body between two others (steps halved) costs 1.5 or
more, which is more than the body and a disc beside it bring."""


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


def _uneven(step: float, step_below: float, usual: float, tolerance: float) -> float:
    """What it costs when a step upwards is longer or shorter than the one below it lets expect."""
    off = abs(np.log(step / step_below) - np.log(usual))
    return UNEVEN_COST * max(off - tolerance, 0.0)


@dataclass(frozen=True)
class _End:
    """The best chain that ends with a step between two candidates: its score, the candidate before (-1: the step is
    the first), what lies below the lower one of the two (S1 or nothing) and the disc there."""

    score: float
    before: int
    s1: Peak | None = None
    disc_below: Peak | None = None


def build_chain(bodies: list[Peak], discs: list[Peak], s1_candidates: list[Peak]) -> Chain:
    """The best-scoring chain of bodies (dynamic programming from caudal to cranial), anchored at S1 when one is seen.

    Spinous processes and blobs in the far field fall out: they have no discs between them and do not line up. Steps
    follow each other as they do in the population, so that no second body is put where one is already, and none is
    passed over: a body in the middle of a step halves it, a body left out doubles it.
    """
    bodies = sorted(bodies, key=lambda peak: peak.centre[2])
    count = len(bodies)
    if not count:
        return Chain([], [], max(s1_candidates, key=lambda peak: peak.score, default=None))
    gain = [body.score - ACCEPT for body in bodies]
    links = {(m, n): _link(bodies[m], bodies[n], discs) for n in range(count) for m in range(n)}
    steps = {(m, n): float(np.linalg.norm(bodies[n].centre - bodies[m].centre)) for m, n in links}
    alone = [_lowest(body, gain[n], discs, s1_candidates) for n, body in enumerate(bodies)]
    best: dict[tuple[int, int], _End] = {}
    for n in range(count):
        for m in range(n):
            link, _ = links[m, n]
            if not np.isfinite(link):
                continue
            # The step is the chain's first: what lies below its lower body is chosen with the step known.
            first = _lowest(bodies[m], gain[m], discs, s1_candidates, step_above=steps[m, n])
            found = _End(first.score + link + gain[n], -1, first.s1, first.disc_below)
            for before in range(m):
                if (before, m) not in best:
                    continue
                uneven = _uneven(steps[m, n], steps[before, m], STEP_RATIO, STEP_TOLERANCE)
                score = best[before, m].score + link + gain[n] - uneven
                if score > found.score:
                    found = _End(score, before)
            best[m, n] = found
    top_pair = max(best, key=lambda pair: best[pair].score, default=None)
    top_alone = int(np.argmax([end.score for end in alone]))
    if top_pair is None or alone[top_alone].score > best[top_pair].score:
        end = alone[top_alone]
        return Chain([bodies[top_alone]], [end.disc_below], end.s1)
    chain = [top_pair[1], top_pair[0]]
    while best[chain[-1], chain[-2]].before >= 0:
        chain.append(best[chain[-1], chain[-2]].before)
    lowest = best[chain[-1], chain[-2]]
    chain.reverse()
    found_bodies = [bodies[n] for n in chain]
    between = [links[m, n][1] for m, n in pairwise(chain)]
    lowest_disc = lowest.disc_below or _disc_under(found_bodies, discs)
    return Chain(found_bodies, [lowest_disc, *between], lowest.s1)


def _lowest(
    body: Peak,
    gain: float,
    discs: list[Peak],
    s1_candidates: list[Peak],
    step_above: float | None = None,
) -> _End:
    """A chain's start with this body: above the S1 that suits it best, or above nothing."""
    found = _End(gain, -1)
    for s1 in s1_candidates:
        link, disc = _link(s1, body, discs)
        if not np.isfinite(link):
            continue
        score = gain + link + s1.score
        if step_above is not None:
            step = float(np.linalg.norm(body.centre - s1.centre))
            score -= _uneven(step_above, step, STEP_ABOVE_L5, SACRAL_TOLERANCE)
        if score > found.score:
            found = _End(score, -1, s1, disc)
    return found


def _disc_under(found: list[Peak], discs: list[Peak]) -> Peak | None:
    """The disc just below the lowest body when no S1 was seen."""
    if len(found) < 2:
        return None
    step = found[1].centre - found[0].centre
    expected = found[0].centre - step / 2
    near = [disc for disc in discs if np.linalg.norm(disc.centre - expected) < 0.4 * np.linalg.norm(step)]
    return max(near, key=lambda disc: disc.score, default=None)
