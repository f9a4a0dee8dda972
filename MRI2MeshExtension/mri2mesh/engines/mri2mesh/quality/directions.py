"""Left is on the patient's left, front in front, up upwards: what a mirrored or turned vertebra gets wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.measures import region_centre
from mri2mesh.anatomy.regions import Region, is_body
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check, ReconstructedStructure

MIN_COSINE = 0.4
"""Least cosine of the angle between an axis of a vertebra and the patient's axis. It stands for 66 degrees, more than
lordosis or scoliosis turn a vertebra."""


def direction_checks(structures: list[ReconstructedStructure]) -> list[Check]:
    """Of each vertebra, by its labelled regions."""
    return [_check(item) for item in structures if item.structure.kind == "vertebra"]


def axis_cosines(mesh: Mesh) -> dict[str, float]:
    """Cosines of a vertebra's own directions with the patient's (RAS): right, front, up."""
    regions = np.asarray(mesh.regions)
    body = mesh.vertices[is_body(regions)].astype(np.float64).mean(axis=0)
    own: dict[str, NDArray[np.float64]] = {
        "right": region_centre(mesh, Region.PEDICLE_RIGHT) - region_centre(mesh, Region.PEDICLE_LEFT),
        "front": body - region_centre(mesh, Region.LAMINA),
        "up": region_centre(mesh, Region.SUPERIOR_ENDPLATE) - region_centre(mesh, Region.INFERIOR_ENDPLATE),
    }
    return {name: float(way[n] / np.linalg.norm(way)) for n, (name, way) in enumerate(own.items())}


def _check(item: ReconstructedStructure) -> Check:
    cosines = axis_cosines(item.mesh)
    worst = min(cosines, key=lambda name: cosines[name])
    degrees = np.degrees(np.arccos(np.clip(cosines[worst], -1, 1)))
    detail = f"its {worst} is {degrees:.0f} degrees from the patient's"
    return Check("directions", cosines[worst], MIN_COSINE, cosines[worst] >= MIN_COSINE, detail, item.name)
