"""Elastic constants that a file begins with. They are starting values, to be replaced by the user's own.

Of regions: Goel et al., Spine 1995;20:689 (cancellous bone 100 MPa, cortical bone 12,000 MPa, posterior elements 3,500
MPa, ground substance of the annulus 4.2 MPa, nucleus 1 MPa), as used in many lumbar models since. A nucleus is nearly
incompressible; 0.49 instead of 0.4999 keeps elements without a pressure of their own from locking.
"""

from __future__ import annotations

from dataclasses import dataclass

from mri2mesh.export.finite_elements.volume_mesh import VolumeMesh, set_name


@dataclass(frozen=True)
class Material:
    """Isotropic, linear elastic. young_mpa: Young's modulus, MPa (N/mm2). poisson: Poisson's ratio."""

    name: str
    young_mpa: float
    poisson: float


BONE = Material("BONE", 500.0, 0.3)
DISC = Material("DISC", 4.2, 0.45)
CANCELLOUS = Material("CANCELLOUS_BONE", 100.0, 0.2)
POSTERIOR = Material("POSTERIOR_BONE", 3500.0, 0.25)
ANNULUS = Material("ANNULUS", 4.2, 0.45)
NUCLEUS = Material("NUCLEUS", 1.0, 0.49)
CORTEX = Material("CORTICAL_BONE", 12000.0, 0.3)


def materials_of(mesh: VolumeMesh, kinds: dict[str, str], by_region: bool) -> dict[str, Material]:
    """The material of each part of a mesh. kinds: structure name -> `NamedMesh.kind`."""
    chosen = {}
    discs = {set_name(name) for name, kind in kinds.items() if kind == "disc"}
    vertebrae = {set_name(name) for name, kind in kinds.items() if kind == "vertebra"}
    for part in mesh.parts:
        owner = max((n for n in map(set_name, kinds) if part.startswith(f"{n}_")), key=len)
        end = part.removeprefix(f"{owner}_")
        if owner in discs:
            chosen[part] = (NUCLEUS if end == "NUCLEUS" else ANNULUS) if by_region else DISC
        elif by_region and owner in vertebrae:
            chosen[part] = CANCELLOUS if end in ("BODY", "ALL") else POSTERIOR
        else:
            chosen[part] = BONE
    return chosen
