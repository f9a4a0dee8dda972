"""The walls of each structure against the edges of the image, wall by wall: the worst one counts.

A surface that is 4 mm too high agrees at its front and back; one that has swallowed the disc above agrees everywhere
but at its upper endplate. A mean over the whole surface hides both.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.structures import Kind
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.edge_agreement import edge_agreement, edge_sign, edge_slopes
from mri2mesh.quality.field_of_view import inside_image
from mri2mesh.reconstruction import Check, ReconstructedStructure

ENDPLATES: dict[Kind, dict[str, Region]] = {
    "vertebra": {"upper endplate": Region.SUPERIOR_ENDPLATE, "lower endplate": Region.INFERIOR_ENDPLATE},
    "disc": {"upper face": Region.ENDPLATE_SUPERIOR, "lower face": Region.ENDPLATE_INFERIOR},
    "sacrum": {"upper endplate": Region.SUPERIOR_ENDPLATE},
}
SIDE_WALL: dict[Kind, Region] = {"vertebra": Region.BODY, "disc": Region.ANNULUS, "sacrum": Region.BODY}
FACING = 0.7
"""Least cosine of the angle between a normal and the front-back axis for a vertex to count as front or back. The left
and right sides are left out: sagittal slices of 4 mm do not show where they are."""

LEAST_AGREEMENT: dict[Kind, dict[tuple[str, ...], float]] = {
    "vertebra": {("upper endplate",): 0.45, ("lower endplate",): 0.45, ("front", "back"): 0.4},
    "disc": {("upper face", "lower face"): 0.4, ("front", "back"): 0.4},
    "sacrum": {("upper endplate",): 0.45, ("front", "back"): 0.4},
}
"""Least agreement of each wall, or of several walls on average; chance gives 0.29. Front and back are averaged because
an osteophyte in front alone is no displacement, the faces of a disc because one of them is often hard to see. Fitted to
synthetic exams: see `Testing/benchmarks/check_separation.py`."""
MIN_VERTICES = 15
"""Least number of vertices of a wall within the image; the share of fewer says little."""

Walls = dict[str, NDArray[np.float32]]
"""Slopes as from `edge_slopes`, by the name of the wall."""


def edge_checks(structures: list[ReconstructedStructure], volume: Volume) -> list[Check]:
    """Of each structure whether its walls lie on the edges of the image."""
    slopes = {
        item.name: {
            wall: edge_slopes(item.mesh, volume, mask)
            for wall, mask in walls_of(item.mesh, item.structure.kind, volume).items()
        }
        for item in structures
    }
    alike: dict[tuple[Kind, str], list[NDArray[np.float32]]] = defaultdict(list)
    for item in structures:
        for wall, found in slopes[item.name].items():
            alike[item.structure.kind, wall].append(found)
    signs = {which: edge_sign(found) for which, found in alike.items()}
    return [_check(item, slopes[item.name], signs) for item in structures]


def walls_of(mesh: Mesh, kind: Kind, volume: Volume) -> dict[str, NDArray[np.bool_]]:
    """By name, the vertices [V] of each endplate and of the front and the back that lie in the image, if enough do."""
    regions, normals = np.asarray(mesh.regions), vertex_normals(mesh)
    upwards = _up(mesh, kind)
    forwards = np.array([0.0, 1.0, 0.0]) - upwards[1] * upwards
    towards_front = normals @ (forwards / np.linalg.norm(forwards))
    around = regions == SIDE_WALL[kind]
    walls = {name: regions == region for name, region in ENDPLATES[kind].items()}
    walls |= {"front": around & (towards_front > FACING), "back": around & (towards_front < -FACING)}
    seen = inside_image(volume, mesh.vertices)
    return {name: mask & seen for name, mask in walls.items() if (mask & seen).sum() >= MIN_VERTICES}


def _up(mesh: Mesh, kind: Kind) -> NDArray[np.float64]:
    """Unit vector along which the upper endplate faces."""
    upper = np.asarray(mesh.regions) == next(iter(ENDPLATES[kind].values()))
    mean = vertex_normals(mesh)[upper].mean(axis=0)
    return mean / np.linalg.norm(mean)


def _check(item: ReconstructedStructure, walls: Walls, signs: dict[tuple[Kind, str], int]) -> Check:
    kind = item.structure.kind
    found = [
        (float(np.mean([edge_agreement(walls[wall], signs[kind, wall]) for wall in group])), least, group)
        for group, least in LEAST_AGREEMENT[kind].items()
        if all(wall in walls for wall in group)
    ]
    if not found:
        return Check("edge agreement", 0.0, 1.0, False, "none of its walls is in the image", item.name)
    share, least, group = min(found, key=lambda one: one[0] - one[1])
    detail = (
        f"{' and '.join(group)}: {100 * share:.0f}% lie within 2 mm of the edge that the image shows there, the"
        " least of all its parts"
    )
    return Check("edge agreement", share, least, share >= least, detail, item.name)
