"""What the localiser saw inside each surface, and just outside it.

A surface that has moved, grown or taken in its neighbour holds tissue that is not its own; one that has shrunk leaves
some of its own outside. The localiser looks at the whole image at once, the deformation at one crop: where the two
disagree, one of them is wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.structures import Kind
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.quality.field_of_view import inside_image
from mri2mesh.reconstruction import Check, ReconstructedStructure

OWN: dict[Kind, Semantic] = {"vertebra": Semantic.BODY, "disc": Semantic.DISC, "sacrum": Semantic.SACRUM}
NAMES: dict[Kind, str] = {"vertebra": "vertebral body", "disc": "disc", "sacrum": "sacrum"}

STEP_MM = 1.5
SHELL_MM = (1.5, 5.0)
"""Distances from the surface between which its own tissue is looked for outside it. Nearer, the localiser's voxels of
4 x 2 x 2 mm blur it."""

MIN_INSIDE: dict[Kind, float] = {"vertebra": 0.85, "disc": 0.75, "sacrum": 0.7}
MAX_OUTSIDE: dict[Kind, float] = {"vertebra": 0.25, "disc": 0.2, "sacrum": 0.5}
"""Least mean probability of a structure's own tissue inside it, and most in the shell around it. Thin discs are blurred
more; the S1 surface ends inside the sacrum, so a part of that is always outside. Fitted as the limits of `edges`."""


def tissue_checks(
    structures: list[ReconstructedStructure], volume: Volume, evidence: Evidence
) -> list[Check]:
    """Of each structure, two: whether its inside is its own tissue, and whether it has left some outside.

    Of a vertebra the body is looked at. Tissue within another surface of the same kind is not missed.
    """
    solids = {item.name: _solid(item) for item in structures}
    checks = []
    for item in structures:
        kind = item.structure.kind
        others = [
            solids[other.name] for other in structures if other.structure.kind == kind and other is not item
        ]
        inside, outside = own_tissue(solids[item.name], others, OWN[kind], volume, evidence)
        most, least = MAX_OUTSIDE[kind], MIN_INSIDE[kind]
        checks += [
            Check(
                "tissue inside",
                inside,
                least,
                inside >= least,
                f"{100 * inside:.0f}% of its inside looks like {NAMES[kind]}",
                item.name,
            ),
            Check(
                "tissue outside",
                outside,
                most,
                outside <= most,
                f"{100 * outside:.0f}% of what lies within 5 mm outside it looks like {NAMES[kind]}, too",
                item.name,
            ),
        ]
    return checks


def _solid(item: ReconstructedStructure) -> Mesh:
    return body_of(item.mesh) if item.structure.kind == "vertebra" else item.mesh


def own_tissue(
    solid: Mesh, others: list[Mesh], tissue: Semantic, volume: Volume, evidence: Evidence
) -> tuple[float, float]:
    """Mean probability of a tissue inside a closed surface, and in the shell around it that no other surface holds.

    Only within the image; nothing inside counts as 0, no shell as 0.
    """
    grid = _grid_around(solid)
    inside = voxelise(solid, grid)
    distance = ndimage.distance_transform_edt(~inside, sampling=STEP_MM)
    shell = (distance > SHELL_MM[0]) & (distance <= SHELL_MM[1])
    for other in others:
        shell &= ~voxelise(other, grid)
    return (
        _mean_probability(inside, grid, tissue, volume, evidence),
        _mean_probability(shell, grid, tissue, volume, evidence),
    )


def _grid_around(solid: Mesh) -> Volume:
    low = solid.vertices.min(axis=0) - SHELL_MM[1] - STEP_MM
    high = solid.vertices.max(axis=0) + SHELL_MM[1] + STEP_MM
    shape = np.ceil((high - low) / STEP_MM).astype(int) + 1
    matrix = np.diag([STEP_MM, STEP_MM, STEP_MM, 1.0])
    matrix[:3, 3] = low
    return Volume(np.zeros(shape[::-1], bool), matrix)


def _mean_probability(
    chosen: NDArray[np.bool_], grid: Volume, tissue: Semantic, volume: Volume, evidence: Evidence
) -> float:
    points = grid.ras_from_ijk(np.argwhere(chosen)[:, ::-1])
    points = points[inside_image(volume, points)]
    if not len(points):
        return 0.0
    kji = evidence.kji_from_ras(points).T
    return float(ndimage.map_coordinates(evidence.semantic[tissue], kji, order=1, mode="nearest").mean())
