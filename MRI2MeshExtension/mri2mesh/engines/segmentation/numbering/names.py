"""What a segment's name says it is, whoever wrote it: "L3", "vertebrae_L3", "Left hip bone", "disc L4-L5"."""

from __future__ import annotations

import re

from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS
from mri2mesh.engines.segmentation.numbering.presets import ALL_VERTEBRAE, NOTHING, PAIRS

_LEVEL = r"(?:[ctl]\s*\d{1,2}|s\s*1?)"
_VERTEBRA = re.compile(rf"\b({_LEVEL})\b")
_TWO_LEVELS = re.compile(rf"\b({_LEVEL})\s*[-/ ]\s*({_LEVEL})\b")
_RANGE = re.compile(r"[CTLS]\d+:[CTLS]\d+")
_PAIRED = {
    r"hip|ilium|innominate|coxae?|hemipelvis": "hip",
    r"femur|thigh ?bone": "femur",
}


def structure_of(name: str) -> str | None:
    """A name of `STRUCTURES`, of a pair ("hips", "femora"), or None where it is nothing that this library models."""
    if name in STRUCTURES or name in PAIRS or name in (NOTHING, ALL_VERTEBRAE):
        return name
    if _RANGE.fullmatch(name):
        return name if levels_of(name) else None
    words = re.sub(r"[_.,()]+", " ", name).lower().strip()
    if found := _TWO_LEVELS.search(words):
        upper, lower = (_level(one) for one in found.groups())
        disc = f"{upper}-{lower}"
        return disc if disc in STRUCTURES else None
    if re.search(r"^(vertebrae|spine|all vertebrae|(vertebral|spinal) column)$", words):
        return ALL_VERTEBRAE
    if re.search(r"\bhips\b", words):
        return "hips"
    if re.search(r"\b(femora|femurs)\b", words):
        return "femora"
    if re.search(r"\bsacrum\b", words):
        return "sacrum"
    for pattern, bone in _PAIRED.items():
        if re.search(rf"\b(?:{pattern})\b", words) and (side := re.search(r"\b(left|right|l|r)\b", words)):
            return f"{bone}_{'left' if side[0].startswith('l') else 'right'}"
    if (found := _VERTEBRA.search(words)) and not re.search(
        r"\b(nerve|root|rib|muscle|disc|cord|canal)\b", words
    ):
        level = _level(found[1])
        return level if level in STRUCTURES else None
    return None


def levels_of(name: str) -> tuple[str, ...]:
    """The vertebrae, from above, that a label called so ("T12:L5") holds; of "vertebrae" all that there are. Empty for
    a label of one bone."""
    if name == ALL_VERTEBRAE:
        return VERTEBRA_LEVELS
    upper, _, lower = name.partition(":")
    if upper in VERTEBRA_LEVELS and lower in VERTEBRA_LEVELS:
        first, last = VERTEBRA_LEVELS.index(upper), VERTEBRA_LEVELS.index(lower)
        return VERTEBRA_LEVELS[first : last + 1] if first < last else ()
    return ()


def _level(text: str) -> str:
    text = text.replace(" ", "").upper()
    return "S1" if text == "S" else text
