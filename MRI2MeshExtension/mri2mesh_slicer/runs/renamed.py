"""Names of levels inside sentences and places, renamed together."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mri2mesh.anatomy.structures import DISC_LEVELS, VERTEBRA_LEVELS

ORDER = ((*VERTEBRA_LEVELS, "S1"), DISC_LEVELS)
"""Names from head to foot that a shift moves along."""


def shifted_names(by: int) -> dict[str, str]:
    """Each name of a level to the one it has after a shift by so many levels upwards, where there is one."""
    found = {}
    for sequence in ORDER:
        for place, name in enumerate(sequence):
            if 0 <= place - by < len(sequence):
                found[name] = sequence[place - by]
    return found


def renamed_text(text: str, names: Mapping[str, str]) -> str:
    """A text with whole names replaced: L3 in ``"L3 and its disc"``, not in ``"L3-L4"``."""
    known = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, names)) + r")(?![\w-])")
    return known.sub(lambda match: names[match[1]], text) if names else text
