"""What every engine returns: structures, checks on them, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import Structure
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.xray_camera import XrayCamera


@dataclass(frozen=True)
class ReconstructedStructure:
    """One closed surface with its meaning.

    mesh: surface in patient RAS millimetres.
    uncertainty_mm: [V] one standard deviation per vertex, millimetres; the engine says how it was estimated.
    support: [V] in 0..1; 1 where the image shows the surface, 0 where the prior filled it in.
    """

    structure: Structure
    mesh: Mesh
    uncertainty_mm: NDArray[np.float32]
    support: NDArray[np.float32]

    @property
    def name(self) -> str:
        return self.structure.name


@dataclass(frozen=True)
class Check:
    """One test of how far a result can be trusted; ``detail`` is a sentence for the reader."""

    name: str
    value: float
    threshold: float
    passed: bool
    detail: str = ""
    structure: str | None = None


@dataclass(frozen=True)
class LevelCount:
    """How the vertebrae of a spine came by their names.

    anchor: what fixes the count: ``"sacrum"``, S1 wholly in the image, or ``"given"``, a vertebra that the user named;
    with ``"none"`` the names are a guess. statement: this in words. advice: what the user can do about a guess.
    lowest: name of the lowest vertebra in view. probabilities: of every count that was compared, by the name that the
    lowest vertebra then has; empty where the count is fixed.
    """

    anchor: Literal["sacrum", "given", "none"]
    statement: str
    lowest: str
    probabilities: Mapping[str, float] = field(default_factory=dict)
    advice: str = ""

    @property
    def certain(self) -> bool:
        """Whether something fixes the count."""
        return self.anchor != "none"


def given_statement(name: str) -> str:
    """Of levels that are counted from a vertebra that the user named."""
    return f"The levels are counted from {name}, which was given."


LEVEL_CHECK = "level count"
"""Name of the check that fails where the names of the levels are a guess."""


def level_check(count: LevelCount) -> Check:
    """Fails where the names are a guess, so that the result is marked."""
    detail = {
        "sacrum": "the sacrum fixes the count of the levels",
        "given": "a vertebra that was given fixes the count of the levels",
        "none": "nothing fixes the count of the levels: their names are a guess",
    }[count.anchor]
    return Check(LEVEL_CHECK, float(count.certain), 1.0, count.certain, detail)


@dataclass(frozen=True)
class PixelMaps:
    """What an engine saw in a radiograph, pixel by pixel, of bones by their names [L].

    film: [H, W] as it was looked at. presence: [L, H, W], 0 to 1, how likely the bone is there. depth_mm: [L, 2, H, W]
    from the source along the beam, of the bone's nearest and farthest face; it counts where the bone is. camera: of
    these pixels. image: which of the radiographs it is, from 0. shown: [H, W] where the film is; None for everywhere.
    """

    names: tuple[str, ...]
    film: NDArray[np.float32]
    presence: NDArray[np.float32]
    depth_mm: NDArray[np.float32]
    camera: XrayCamera
    image: int = 0
    shown: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Reconstruction:
    """Structures in patient space, checks and provenance (engine, weights, input, device, timings).

    levels: how the vertebrae came by their names; None where there are none to count. maps: of a radiograph, where the
    engine has any.
    """

    engine: str
    structures: list[ReconstructedStructure]
    checks: list[Check] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    timings_s: dict[str, float] = field(default_factory=dict)
    levels: LevelCount | None = None
    maps: PixelMaps | None = None

    @property
    def passed(self) -> bool:
        """True when every check passed; a result that fails is kept and marked, never hidden."""
        return all(check.passed for check in self.checks)

    @property
    def levels_certain(self) -> bool:
        """False where the names of vertebrae and discs are a guess."""
        return self.levels is None or self.levels.certain

    def __getitem__(self, name: str) -> ReconstructedStructure:
        for structure in self.structures:
            if structure.name == name:
                return structure
        raise KeyError(name)
