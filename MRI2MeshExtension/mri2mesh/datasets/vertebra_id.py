"""Names of vertebrae in the published data of 3D-ReVert: ``verse004_segment_20``, subject and VerSe's number of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS
from mri2mesh.errors import InputError

_PATTERN = re.compile(r"(?P<subject>[A-Za-z0-9][A-Za-z0-9_.-]{0,99})_segment_(?P<label>[0-9]{1,3})")
_LEVEL_OF = {STRUCTURES[level].label: level for level in VERTEBRA_LEVELS}


@dataclass(frozen=True, order=True)
class VertebraId:
    """subject: letters, digits, ``_.-``. level: of `VERTEBRA_LEVELS` (L1 is VerSe's 20)."""

    subject: str
    level: str

    def __post_init__(self) -> None:
        if not _PATTERN.fullmatch(str(self)):
            raise InputError(
                f"{self.subject[:40]!r} cannot name a subject: use letters, digits, dashes and underscores"
            )

    def __str__(self) -> str:
        return f"{self.subject}_segment_{STRUCTURES[self.level].label}"

    @classmethod
    def parse(cls, text: str) -> VertebraId:
        """Raises InputError for another form, or a number that is none of T7 (14) to L5 (24)."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise InputError(f"{text[:60]!r} does not name a vertebra: it must look like verse004_segment_20")
        level = _LEVEL_OF.get(int(match["label"]))
        if level is None:
            raise InputError(
                f"{text[:60]!r} names vertebra {match['label']}: T7 is 14, L1 is 20, L5 is 24 (VerSe's numbers)"
            )
        return cls(match["subject"], level)
