"""The checks of an MR reconstruction. A result that fails is returned and marked."""

from __future__ import annotations

import numpy as np

from mri2mesh.anatomy.regions import main_part
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.quality.canal import canal_checks
from mri2mesh.engines.mri2mesh.quality.directions import direction_checks
from mri2mesh.engines.mri2mesh.quality.edges import edge_checks
from mri2mesh.engines.mri2mesh.quality.sequence import sequence_checks
from mri2mesh.engines.mri2mesh.quality.tissue import tissue_checks
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.closed_surface import closed_surface
from mri2mesh.quality.field_of_view import inside_image
from mri2mesh.quality.neighbours import touching_pairs
from mri2mesh.quality.overlap import neighbours_apart
from mri2mesh.reconstruction import Check, ReconstructedStructure

MIN_IN_VIEW = 0.65
"""Least fraction of a body inside the field of view: sagittal slabs are often narrower than a body, but with more than
a third outside it is mostly prior."""


def check_reconstruction(
    structures: list[ReconstructedStructure], volume: Volume, evidence: Evidence
) -> list[Check]:
    """All checks of all structures, in the order a reader wants them: of each structure surface, field of view, image,
    tissue, directions, canal; then neighbours and the row they stand in.

    Surfaces carry the regions of the templates, which the checks of walls, directions and canal go by.
    """
    single = [
        *(closed_surface(item) for item in structures),
        *(_in_view(item, volume) for item in structures),
        *edge_checks(structures, volume),
        *tissue_checks(structures, volume, evidence),
        *direction_checks(structures),
        *canal_checks(structures, evidence),
    ]
    order = {item.name: place for place, item in enumerate(structures)}
    single.sort(key=lambda check: order.get(check.structure or "", len(order)))
    meshes = {item.name: item.mesh for item in structures}
    return [
        *single,
        *(neighbours_apart(a, b, meshes) for a, b in touching_pairs(meshes)),
        *sequence_checks(structures),
    ]


def _in_view(item: ReconstructedStructure, volume: Volume) -> Check:
    part = main_part(np.asarray(item.mesh.regions), item.structure.kind)
    share = float(inside_image(volume, item.mesh.vertices[part]).mean())
    which = "disc" if item.structure.kind == "disc" else "body"
    detail = f"{100 * share:.0f}% of the {which} is within the image"
    return Check("field of view", share, MIN_IN_VIEW, share >= MIN_IN_VIEW, detail, item.name)
