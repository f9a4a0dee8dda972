"""Does the spinal canal run behind each body and in front of its lamina? Arches on the wrong side fail here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.measures import region_centre
from mri2mesh.anatomy.regions import Region, is_body
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check, ReconstructedStructure

SLAB_MM = 8.0
"""Half the height of the slab at the middle of the body in which the canal is looked for."""
REACH_MM = 55.0
"""Most that canal may lie from the middle of the body, across the spine."""
SEEN = 0.5
"""Probability above which a voxel counts as canal."""
MIN_VOXELS = 8
"""Least number of canal voxels beside a body; the middle of fewer says little."""

MAX_AWAY_MM = 4.0
"""Most that the middle of the canal may lie in front of the body's back wall or behind the front of the lamina."""
MAX_ASIDE_MM = 10.0
"""Most that it may lie to the left or to the right."""


def canal_checks(structures: list[ReconstructedStructure], evidence: Evidence) -> list[Check]:
    """Of each vertebra beside which the localiser sees the canal; one that fails when it sees none anywhere."""
    vertebrae = [item for item in structures if item.structure.kind == "vertebra"]
    points = evidence.ras_from_kji(np.argwhere(evidence.semantic[Semantic.CANAL] > SEEN))
    checks = [check for item in vertebrae if (check := _check(item, points)) is not None]
    if vertebrae and not checks:
        detail = "no spinal canal is seen behind any body: which way the vertebrae face is not sure"
        return [Check("canal behind the body", float("nan"), MAX_AWAY_MM, False, detail)]
    return checks


def canal_misfit(mesh: Mesh, points: NDArray[np.float64]) -> tuple[float, float] | None:
    """How far, mm, the middle of the canal at this level lies outside the gap between body and lamina, and to the side.

    points: [N, 3] of the canal, RAS. None where there is too little canal beside the body.
    """
    vertices, regions = mesh.vertices.astype(np.float64), np.asarray(mesh.regions)
    centre = vertices[is_body(regions)].mean(axis=0)
    up = region_centre(mesh, Region.SUPERIOR_ENDPLATE) - region_centre(mesh, Region.INFERIOR_ENDPLATE)
    up /= np.linalg.norm(up)
    back = region_centre(mesh, Region.LAMINA) - centre
    back -= (back @ up) * up
    back /= np.linalg.norm(back)
    offsets = points - centre
    offsets = offsets[np.abs(offsets @ up) < SLAB_MM]
    offsets -= (offsets @ up)[:, None] * up
    offsets = offsets[np.linalg.norm(offsets, axis=1) < REACH_MM]
    if len(offsets) < MIN_VOXELS:
        return None
    middle = offsets.mean(axis=0)
    wall = ((vertices[is_body(regions)] - centre) @ back).max()
    lamina = ((vertices[regions == Region.LAMINA] - centre) @ back).min()
    behind = float(middle @ back)
    return max(float(wall) - behind, behind - float(lamina), 0.0), abs(float(middle @ np.cross(back, up)))


def _check(item: ReconstructedStructure, points: NDArray[np.float64]) -> Check | None:
    found = canal_misfit(item.mesh, points)
    if found is None:
        return None
    away, aside = found
    passed = away <= MAX_AWAY_MM and aside <= MAX_ASIDE_MM
    detail = (
        f"the spinal canal runs {away:.0f} mm outside the gap between body and lamina, {aside:.0f} mm to the side of"
        " their middle"
        if not passed
        else "the spinal canal runs between body and lamina"
    )
    return Check("canal behind the body", away, MAX_AWAY_MM, passed, detail, item.name)
