"""The structures this project names: vertebrae, discs, sacrum, hips, femora; with codes, label values and colours.

Codes are SNOMED CT concept identifiers: vertebrae from DICOM PS3.16 CID 7603 (Vertebra), discs from CID 7604
(Intervertebral Disc); S1 is 65985001, "Structure of first sacral vertebra". Label values follow VerSe
(T1 = 8 ... T12 = 19, L1 = 20 ... L5 = 24, sacrum = 26; github.com/anjany/verse); a disc is 100 + the label of the
vertebra above it.

Hips, the whole sacrum and femora have the codes of DICOM PS3.16 CID 4031 (Common Anatomic Region), with the side as a
modifier (CID 244), and the label values of TotalSegmentator v2, whose sacrum (25) and S1 (26) agree with S1 here. The
codes are those of its table ``totalsegmentator_snomed_mapping.csv`` as well (github.com/wasserth/TotalSegmentator);
for the hip bone both say 29836001, "Hip".
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Literal

Kind = Literal["vertebra", "disc", "sacrum", "whole_sacrum", "hip", "femur"]
"""``"sacrum"`` is the body of S1 as the spine engine sees it, ``"whole_sacrum"`` the bone of the pelvis."""
Side = Literal["left", "right"]

LATERALITY: dict[Side, tuple[str, str]] = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}
"""SNOMED CT code and meaning of a side, the modifier of a paired structure's code (DICOM PS3.16 CID 244)."""


@dataclass(frozen=True)
class Structure:
    """One anatomical structure.

    code: SNOMED CT concept identifier. label: value in label maps (VerSe numbering; discs 100 + the vertebra above).
    colour: RGB 0..1. side: of a paired structure; left and right share a code and differ in its modifier, LATERALITY.
    """

    name: str
    kind: Kind
    code: str
    meaning: str
    label: int
    colour: tuple[float, float, float]
    side: Side | None = None

    @property
    def in_words(self) -> str:
        """Within a sentence: "femur (left)", "sacrum"."""
        side = f" ({self.side})" if self.side else ""
        return self.meaning.lower() + side


VERTEBRA_LEVELS = ("T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
"""Vertebrae from head to foot; the sacrum (S1) follows L5."""

BELOW = dict(zip(VERTEBRA_LEVELS, (*VERTEBRA_LEVELS[1:], "S1"), strict=True))
"""The level under each vertebra."""

DISC_LEVELS = tuple(f"{upper}-{lower}" for upper, lower in BELOW.items())
"""Discs from head to foot."""

_SNOMED = {
    "T7": "62487009", "T8": "11068009", "T9": "82687006", "T10": "7610001", "T11": "12989004", "T12": "23215003",
    "L1": "66794005", "L2": "14293000", "L3": "36470004", "L4": "11994002", "L5": "49668003", "S1": "65985001",
    "T7-T8": "28693002", "T8-T9": "9188009", "T9-T10": "113209001", "T10-T11": "34959001", "T11-T12": "1537001",
    "T12-L1": "76206002", "L1-L2": "80064006", "L2-L3": "67459009", "L3-L4": "62551000", "L4-L5": "84020006",
    "L5-S1": "715056000",
}  # fmt: skip

_FIRST_LABEL = 14
"""VerSe's number for T7."""
_SACRUM_LABEL = 26

# Far apart from each other and from grey: they are outlines on radiographs too.
_PELVIS_AND_FEMORA = (
    Structure("hip_left", "hip", "29836001", "Hip", 77, (1.0, 0.69, 0.0), "left"),
    Structure("hip_right", "hip", "29836001", "Hip", 78, (0.25, 0.78, 1.0), "right"),
    Structure("sacrum", "whole_sacrum", "54735007", "Sacrum", 25, (1.0, 0.37, 0.64)),
    Structure("femur_left", "femur", "71341001", "Femur", 75, (0.48, 0.88, 0.29), "left"),
    Structure("femur_right", "femur", "71341001", "Femur", 76, (0.72, 0.61, 1.0), "right"),
)


def disc_name(upper: str) -> str:
    """Name of the disc below a vertebra, as in ``"L5-S1"``. Raises KeyError for an unknown level."""
    return f"{upper}-{BELOW[upper]}"


def _colour(step: int, saturation: float, value: float) -> tuple[float, float, float]:
    """Hues a golden angle apart, so that neighbours never look alike."""
    red, green, blue = colorsys.hsv_to_rgb((0.09 + 0.382 * step) % 1.0, saturation, value)
    return round(red, 3), round(green, 3), round(blue, 3)


def _table() -> dict[str, Structure]:
    table: dict[str, Structure] = {}
    for step, level in enumerate(VERTEBRA_LEVELS):
        meaning, colour = f"{level} vertebra", _colour(step, 0.5, 0.95)
        table[level] = Structure(level, "vertebra", _SNOMED[level], meaning, _FIRST_LABEL + step, colour)
    table["S1"] = Structure("S1", "sacrum", _SNOMED["S1"], "S1 vertebra", _SACRUM_LABEL, (0.87, 0.80, 0.66))
    for step, (upper, name) in enumerate(zip(VERTEBRA_LEVELS, DISC_LEVELS, strict=True)):
        meaning, colour = f"{name.replace('-', '/')} intervertebral disc", _colour(step, 0.85, 0.7)
        table[name] = Structure(name, "disc", _SNOMED[name], meaning, 100 + table[upper].label, colour)
    table.update((structure.name, structure) for structure in _PELVIS_AND_FEMORA)
    return table


STRUCTURES: dict[str, Structure] = _table()
"""Every structure by name: ``"T7"`` to ``"L5"``, ``"S1"``, ``"T7-T8"`` to ``"L5-S1"``, hips, sacrum and femora."""
