"""Which number means which bone, by the tool that made the labels.

Sources: VerSe (Sekuboyina et al. 2021, github.com/anjany/verse); TotalSpineSeg (github.com/neuropoly/totalspineseg);
SPINEPS instance masks (Moeller et al. 2024, github.com/Hendrik-code/spineps: VerSe's numbers, 100 more for the disc
below and 200 more for the endplates); TotalSegmentator v2, tasks ``total``, ``total_mr`` and ``vertebrae_mr``
(Wasserthal et al. 2023, github.com/wasserth/TotalSegmentator). A name that is none of
`mri2mesh.anatomy.structures.STRUCTURES` is known and left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mri2mesh.anatomy.structures import STRUCTURES

PAIRS = {"hips": ("hip_left", "hip_right"), "femora": ("femur_left", "femur_right")}
"""Names for labels that hold the bones of both sides."""
ALL_VERTEBRAE = "vertebrae"
"""Name of a label that holds the vertebrae of several levels."""
NOTHING = "none"
"""Name of a label that is to be left out."""

_CERVICAL = [f"C{n}" for n in range(1, 8)]
_THORACIC = [f"T{n}" for n in range(1, 13)]
_LUMBAR = [f"L{n}" for n in range(1, 6)]
_SPINE = [*_CERVICAL, *_THORACIC, *_LUMBAR]
_DISCS = [f"{upper}-{lower}" for upper, lower in zip(_SPINE[1:], [*_SPINE[2:], "S1"], strict=True)]
"""C2-C3 to L5-S1."""


@dataclass(frozen=True)
class Numbering:
    """title: for people. bones: label to name. others: labels that are known and no bones of this list.
    organs: it numbers much beside bones, so an unknown number says nothing against it."""

    title: str
    bones: dict[int, str]
    others: dict[int, str] = field(default_factory=dict)
    organs: bool = False

    def name(self, label: int) -> str | None:
        """What a label is, None where the numbering does not know it."""
        return self.bones.get(label) or self.others.get(label)


def _numbered(names: list[str], first: int, step: int = 1) -> dict[int, str]:
    return {first + step * place: name for place, name in enumerate(names)}


_VERSE = {**_numbered(_SPINE, 1), 25: "L6", 26: "sacrum", 27: "coccyx", 28: "T13"}
_DISCS_OF_VERSE = {102 + place: name for place, name in enumerate(_DISCS)}

NUMBERINGS: dict[str, Numbering] = {
    "verse": Numbering("VerSe", _VERSE),
    "totalspineseg": Numbering(
        "TotalSpineSeg",
        {
            **_numbered(_CERVICAL, 11),
            **_numbered(_THORACIC, 21),
            **_numbered(_LUMBAR, 41),
            50: "sacrum",
            **_numbered(_DISCS[:5], 63),
            **_numbered(_DISCS[5:17], 71),
            **_numbered(_DISCS[17:22], 91),
            100: "L5-S1",
        },
        {1: "spinal cord", 2: "spinal canal"},
    ),
    "spineps": Numbering(
        "SPINEPS",
        {**_VERSE, **_DISCS_OF_VERSE},
        {200 + label: f"endplate of {name}" for label, name in _VERSE.items()},
    ),
    "totalsegmentator": Numbering(
        "TotalSegmentator (CT)",
        {
            25: "sacrum",
            26: "sacrum",  # S1, which the task keeps apart
            **_numbered(_SPINE[::-1], 27),
            75: "femur_left",
            76: "femur_right",
            77: "hip_left",
            78: "hip_right",
        },
        organs=True,
    ),
    "totalsegmentator_mr": Numbering(
        "TotalSegmentator (MR)",
        {18: "sacrum", 36: "femur_left", 37: "femur_right", 38: "hip_left", 39: "hip_right"},
        {19: ALL_VERTEBRAE, 20: "all discs in one"},
        organs=True,
    ),
    "vertebrae_mr": Numbering("TotalSegmentator (vertebrae_mr)", {1: "sacrum", **_numbered(_SPINE[::-1], 2)}),
    "mri2mesh": Numbering(
        "this extension's", {structure.label: name for name, structure in STRUCTURES.items()}
    ),
}
"""By the name for ``--numbering``."""
