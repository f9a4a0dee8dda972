"""How large each bone of an adult may be: wide bounds that tell numberings apart, and a slip from a bone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import STRUCTURES, Kind

TALLEST_MM: dict[Kind, float] = {
    "vertebra": 100.0,
    "disc": 45.0,
    "sacrum": 75.0,
    "whole_sacrum": 190.0,
    "hip": 290.0,
    "femur": 560.0,
}
WIDEST_MM: dict[Kind, float] = {
    "vertebra": 130.0,
    "disc": 80.0,
    "sacrum": 80.0,
    "whole_sacrum": 150.0,
    "hip": 220.0,
    "femur": 220.0,
}
LEAST_MM: dict[Kind, float] = {
    "vertebra": 18.0,
    "disc": 12.0,
    "sacrum": 18.0,
    "whole_sacrum": 25.0,
    "hip": 30.0,
    "femur": 25.0,
}
"""Least diagonal of the box around what was drawn; a single slice has it too."""


def size_doubt(name: str, box: NDArray) -> str | None:
    """Why a label cannot be what it is called, by the box around it ([2, 3] RAS mm); None where it can."""
    kind = STRUCTURES[name].kind
    wide, _, tall = box[1] - box[0]
    diagonal = float(np.linalg.norm(box[1] - box[0]))
    if diagonal < LEAST_MM[kind]:
        return f"{name} is only {diagonal:.0f} mm across: too small for what it is called"
    if tall > TALLEST_MM[kind]:
        return f"{name} is {tall:.0f} mm tall: too tall for what it is called"
    if wide > WIDEST_MM[kind]:
        return f"{name} is {wide:.0f} mm wide: too wide for what it is called"
    return None
