"""What every engine returns: structures, checks on them, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import Structure
from mri2mesh.geometry.mesh import Mesh


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
class Reconstruction:
    """Structures in patient space, checks and provenance (engine, weights, input, device, timings)."""

    engine: str
    structures: list[ReconstructedStructure]
    checks: list[Check] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    timings_s: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True when every check passed; a result that fails is kept and marked, never hidden."""
        return all(check.passed for check in self.checks)

    def __getitem__(self, name: str) -> ReconstructedStructure:
        for structure in self.structures:
            if structure.name == name:
                return structure
        raise KeyError(name)
