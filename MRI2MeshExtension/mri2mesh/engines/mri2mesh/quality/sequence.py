"""The spine as a row: bodies above each other at a spine's spacing and about equally high, with discs between them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.measures import region_centre
from mri2mesh.anatomy.regions import Region, main_part
from mri2mesh.anatomy.structures import BELOW, disc_name
from mri2mesh.engines.mri2mesh.localisation.chain import SPACING_RANGE_MM
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check, ReconstructedStructure

NEIGHBOURS = 2
"""Number of levels up, and of levels down, that a body is compared with."""
HEIGHT_RANGE = (0.5, 1.2)
"""Least height of a body over the median of its neighbours, and most over the highest of them. Outside that range an
endplate is not where the surface has it. A fracture takes up to half of the height."""
MAX_OFF_LINE_MM = 12.0
"""Most that a disc's centre may lie from the point half way between the bodies above and below it."""


def sequence_checks(structures: list[ReconstructedStructure]) -> list[Check]:
    """Spacing and order of the bodies, height of each, and the place of each disc between two bodies."""
    bodies = [item for item in structures if item.structure.kind == "vertebra"]
    by_name = {item.name: item for item in structures}
    checks = [_spacing(upper, lower) for upper, lower in pairwise(bodies)]
    checks += _heights(bodies)
    for upper in bodies:
        disc, lower = by_name.get(disc_name(upper.name)), by_name.get(BELOW[upper.name])
        if disc is not None and lower is not None:
            checks.append(_between(upper, disc, lower))
    return checks


def body_height(mesh: Mesh) -> float:
    """mm between the middles of the two endplates of a vertebra."""
    step = region_centre(mesh, Region.SUPERIOR_ENDPLATE) - region_centre(mesh, Region.INFERIOR_ENDPLATE)
    return float(np.linalg.norm(step))


def _centre(item: ReconstructedStructure) -> NDArray[np.float64]:
    regions = np.asarray(item.mesh.regions)
    return item.mesh.vertices[main_part(regions, item.structure.kind)].astype(np.float64).mean(axis=0)


def _spacing(upper: ReconstructedStructure, lower: ReconstructedStructure) -> Check:
    step = _centre(upper) - _centre(lower)
    distance, below = float(np.linalg.norm(step)), bool(step[2] <= 0)
    low, high = SPACING_RANGE_MM
    limit = low if below or distance < low else high
    detail = f"the bodies are {distance:.0f} mm apart, {low:.0f} to {high:.0f} are usual"
    if below:
        detail = f"{upper.name} lies below {lower.name}"
    passed = not below and low <= distance <= high
    return Check("order and spacing", distance, limit, passed, detail, f"{upper.name}, {lower.name}")


def _heights(bodies: list[ReconstructedStructure]) -> list[Check]:
    heights = [body_height(item.mesh) for item in bodies]
    checks = []
    for n, (item, height) in enumerate(zip(bodies, heights, strict=True)):
        near = heights[max(n - NEIGHBOURS, 0) : n] + heights[n + 1 : n + 1 + NEIGHBOURS]
        if not near:
            continue
        low, high = HEIGHT_RANGE
        of_median, of_highest = height / float(np.median(near)), height / max(near)
        value, limit = (of_highest, high) if of_median >= low else (of_median, low)
        passed = of_median >= low and of_highest <= high
        detail = f"the body is {height:.0f} mm high, its neighbours {min(near):.0f} to {max(near):.0f} mm"
        checks.append(Check("height against neighbours", value, limit, passed, detail, item.name))
    return checks


def _between(
    upper: ReconstructedStructure, disc: ReconstructedStructure, lower: ReconstructedStructure
) -> Check:
    off = float(np.linalg.norm(_centre(disc) - (_centre(upper) + _centre(lower)) / 2))
    detail = f"the disc is {off:.0f} mm from half way between {upper.name} and {lower.name}"
    return Check("disc in its place", off, MAX_OFF_LINE_MM, off <= MAX_OFF_LINE_MM, detail, disc.name)
