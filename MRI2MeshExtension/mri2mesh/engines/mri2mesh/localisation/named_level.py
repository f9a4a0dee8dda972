"""One vertebra that the user names: ``L3@17.0,-40.9,-460.2`` says that the body at this point is L3."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume

Space = Literal["ras", "lps", "ijk"]
NAMES = (*VERTEBRA_LEVELS, "S1")
HOW = (
    "write it as L3@x,y,z: the level, and a point inside its vertebral body in millimetres RAS, as 3D Slicer's Markups"
    " show it (L3@lps:x,y,z for LPS, L3@ijk:i,j,k for voxels counted from 0)"
)


@dataclass(frozen=True)
class NamedLevel:
    """name: of `NAMES`. point: [3] mm in ``"ras"`` or ``"lps"``, or the volume's voxels from 0 in ``"ijk"``."""

    name: str
    point: tuple[float, float, float]
    space: Space = "ras"

    def ras(self, volume: Volume) -> NDArray[np.float64]:
        """[3] RAS mm. Raises InputError where the point is outside the volume."""
        point = np.array(self.point)
        if self.space == "ijk":
            point = volume.ras_from_ijk(point)
        elif self.space == "lps":
            point = point * [-1, -1, 1]
        index = volume.ijk_from_ras(point)
        if (index < -0.5).any() or (index > np.array(volume.array.shape[::-1]) - 0.5).any():
            other = "" if self.space == "ijk" else ", and whether it is RAS or LPS"
            raise InputError(
                f"the point given for the level {self.name} lies outside the image: check its coordinates{other}"
            )
        return np.asarray(point, dtype=np.float64)

    def __str__(self) -> str:
        space = "" if self.space == "ras" else f"{self.space}:"
        return f"{self.name}@{space}" + ",".join(f"{value:g}" for value in self.point)


def parse_level(text: str) -> NamedLevel:
    """The level in a text such as ``L3@17.0,-40.9,-460.2``. Raises InputError for anything else."""
    name, at, place = text.partition("@")
    name = name.strip().upper()
    space, colon, numbers = place.rpartition(":")
    space = space.strip().lower() if colon else "ras"
    try:
        x, y, z = (float(value) for value in numbers.split(","))
    except ValueError:
        raise InputError(f"--level {text[:60]!r} is not a level at a point: {HOW}") from None
    if not at or space not in get_args(Space) or not all(map(math.isfinite, (x, y, z))):
        raise InputError(f"--level {text[:60]!r} is not a level at a point: {HOW}")
    if name not in NAMES:
        raise InputError(f"--level knows {NAMES[0]} to {NAMES[-1]}, not {name[:20]!r}")
    return NamedLevel(name, (x, y, z), space)  # type: ignore[arg-type]
