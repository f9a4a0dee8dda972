"""Names for the bodies of a chain: what fixes the count, or how probable each count is where nothing does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri2mesh.anatomy.level_counts import count_probabilities
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.engines.mri2mesh.localisation.anchor import body_at, sacrum_anchors
from mri2mesh.engines.mri2mesh.localisation.named_level import NAMES, NamedLevel
from mri2mesh.engines.mri2mesh.localisation.spine import SpineFound
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import LevelCount, given_statement

SACRUM_IN_PART = 0.9
"""Probability, before the bodies are looked at, that the vertebra above what looks like a part of the sacrum is L5."""
_L5 = NAMES.index("L5")


@dataclass(frozen=True)
class NamedSpine:
    """names: of each body from the lowest upwards; None beyond the known levels. s1: whether what was found as S1 is
    S1 by this count. count: how the names came about. warnings: sentences for the user."""

    names: list[str | None]
    s1: bool
    count: LevelCount
    warnings: list[str]


def name_levels(
    spine: SpineFound, volume: Volume, level: NamedLevel | None = None, level_shift: int = 0
) -> NamedSpine:
    """Count from the vertebra that the user named, else from the sacrum, else by the most probable count.

    level_shift: added to that count: 1 calls L3 what it calls L4 (one level up), -1 calls it L5.
    Raises InputError where no body is at the level's point, where level and shift are both given, or where no
    vertebra has a name then.
    """
    refuse_both(level, level_shift)
    probabilities: dict[str, float] = {}
    if level is not None:
        lowest = NAMES.index(level.name) + body_at(level.ras(volume), spine, level.name)
    elif sacrum_anchors(spine):
        lowest = _L5
    else:
        probabilities = probable_counts(spine)
        lowest = NAMES.index(max(probabilities, key=lambda name: probabilities[name]))
    lowest -= level_shift
    names = [
        VERTEBRA_LEVELS[lowest - n] if 0 <= lowest - n < len(VERTEBRA_LEVELS) else None
        for n in range(len(spine.chain.bodies))
    ]
    named = [name for name in names if name is not None]
    if not named:
        option = f"--level {level}" if level is not None else f"--level-shift {level_shift}"
        raise InputError(f"{option} leaves no vertebra with a name: check it against the image")
    seen = spine.chain.s1 is not None
    warnings = [f"levels were shifted by {level_shift:+d} as asked"] if level_shift else []
    if left_out := len(names) - len(named):
        bodies = "1 body" if left_out == 1 else f"{left_out} bodies"
        reach = f"{VERTEBRA_LEVELS[0]} to {VERTEBRA_LEVELS[-1]}"
        warnings.append(f"{bodies} beyond {reach} left out, with the discs")
    if seen and lowest != _L5:
        warnings.append("what looks like the sacrum does not lie below L5 by this count: it was left out")
    if level is not None:
        count = LevelCount("given", given_statement(level.name), named[0])
    elif not probabilities:
        count = LevelCount("sacrum", "The levels are counted up from the sacrum.", named[0])
    else:
        count = _guess(probabilities, named[0], spine)
    return NamedSpine(names, seen and lowest == _L5, count, warnings)


def refuse_both(level: NamedLevel | None, level_shift: int) -> None:
    """Raises InputError where the levels are named and shifted."""
    if level is not None and level_shift:
        raise InputError(
            "--level names the vertebrae and leaves nothing for --level-shift to shift: give one of them"
        )


def probable_counts(spine: SpineFound) -> dict[str, float]:
    """Probability of each name of the lowest body, from the places of all bodies and a sacrum that is seen in part."""
    shares = count_probabilities(np.array([frame[:3, 3] for frame in reversed(spine.frames)]))
    if spine.chain.s1 is None:
        return shares
    other = (1 - SACRUM_IN_PART) / (len(shares) - 1)
    shares = {name: share * (SACRUM_IN_PART if name == "L5" else other) for name, share in shares.items()}
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _guess(probabilities: dict[str, float], lowest: str, spine: SpineFound) -> LevelCount:
    seen = "not" if spine.chain.s1 is None else "not wholly or not clearly"
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    listed = ", ".join(f"{name} {100 * share:.0f}%" for name, share in ranked if share >= 0.005)
    statement = (
        f"The names of the levels are a guess: the sacrum is {seen} in the image. How probable each name of the lowest"
        f" vertebra in view is, from the distances of the vertebrae and their posture: {listed}."
    )
    point = ",".join(f"{value:.1f}" for value in spine.frames[0][:3, 3])
    advice = (
        f"Name one vertebra: --level {lowest}@{point} says that the body at this point, millimetres RAS as in"
        f" 3D Slicer, is {lowest}."
    )
    return LevelCount("none", statement, lowest, probabilities, advice)
