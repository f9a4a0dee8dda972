"""The checks of an MR reconstruction. A result that fails is returned and marked."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import main_part
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.mri2mesh.localisation.chain import SPACING_RANGE_MM
from mri2mesh.engines.mri2mesh.quality.neighbours import touching_pairs
from mri2mesh.engines.mri2mesh.quality.support import inside_image
from mri2mesh.geometry.checks import is_watertight, self_intersections
from mri2mesh.geometry.interpenetration import penetration_depth
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.edge_agreement import edge_agreement
from mri2mesh.reconstruction import Check, ReconstructedStructure

MIN_EDGE_AGREEMENT = 0.5
MAX_PENETRATION_MM = 0.5
MIN_IN_VIEW = 0.65
"""Least fraction of a body inside the field of view: sagittal slabs are often narrower than a body, but with more than
a third outside it is mostly prior."""


def check_reconstruction(structures: list[ReconstructedStructure], volume: Volume) -> list[Check]:
    """All checks of all structures, in the order a reader wants them: surface, image, field of view, neighbours."""
    checks = []
    for item in structures:
        checks += [_closed(item), _edges(item, volume), _in_view(item, volume)]
    meshes = {item.name: item.mesh for item in structures}
    checks += [_apart(a, b, meshes) for a, b in touching_pairs(meshes)]
    checks += _spacing(structures)
    return checks


def _closed(item: ReconstructedStructure) -> Check:
    folds = self_intersections(item.mesh) if is_watertight(item.mesh) else -1
    detail = (
        "closed, without self-intersections" if folds == 0 else "the surface is not closed or meets itself"
    )
    return Check("closed surface", float(folds), 0.0, folds == 0, detail, item.name)


def _of_body(item: ReconstructedStructure) -> NDArray[np.bool_]:
    """[V] of a vertebra the vertices of its body, of anything else all."""
    if item.mesh.regions is None:
        return np.ones(len(item.mesh.vertices), bool)
    return main_part(item.mesh.regions, item.structure.kind)


def _body_vertices(item: ReconstructedStructure) -> NDArray[np.float32]:
    return item.mesh.vertices[_of_body(item)]


def _edges(item: ReconstructedStructure, volume: Volume) -> Check:
    share = edge_agreement(item.mesh, volume, _of_body(item) & (item.support > 0.5))
    share = 0.0 if np.isnan(share) else share
    detail = f"{100 * share:.0f}% of the surface lies within 2 mm of the strongest edge of the image"
    return Check("edge agreement", share, MIN_EDGE_AGREEMENT, share >= MIN_EDGE_AGREEMENT, detail, item.name)


def _in_view(item: ReconstructedStructure, volume: Volume) -> Check:
    share = float(inside_image(volume, _body_vertices(item)).mean())
    detail = (
        f"{100 * share:.0f}% of the {'body' if item.structure.kind != 'disc' else 'disc'} is within the image"
    )
    return Check("field of view", share, MIN_IN_VIEW, share >= MIN_IN_VIEW, detail, item.name)


def _apart(a: str, b: str, meshes: dict[str, Mesh]) -> Check:
    depth = penetration_depth(meshes[a], meshes[b], spacing_mm=1.0, n_samples=500).depth_mm
    detail = f"{a} and {b} overlap by {depth:.1f} mm at most"
    return Check(
        "neighbours apart", depth, MAX_PENETRATION_MM, depth <= MAX_PENETRATION_MM, detail, f"{a}, {b}"
    )


def _spacing(structures: list[ReconstructedStructure]) -> list[Check]:
    bodies = [item for item in structures if STRUCTURES[item.name].kind == "vertebra"]
    checks = []
    for upper, lower in pairwise(bodies):
        centres = [_body_vertices(item).mean(0) for item in (upper, lower)]
        distance = float(np.linalg.norm(centres[0] - centres[1]))
        ordered = (
            bool(centres[0][2] > centres[1][2]) and SPACING_RANGE_MM[0] <= distance <= SPACING_RANGE_MM[1]
        )
        detail = f"{upper.name} lies {distance:.0f} mm above {lower.name}"
        checks.append(
            Check(
                "order and spacing",
                distance,
                SPACING_RANGE_MM[1],
                ordered,
                detail,
                f"{upper.name}, {lower.name}",
            )
        )
    return checks
