"""Named sets of a volume mesh: parts of each structure, and the surfaces on which loads, contacts and ties are put."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.regions import BODY_REGIONS, Region
from mri2mesh.export.finite_elements.volume_mesh import TET_FACES, VolumeMesh, set_name
from mri2mesh.export.finite_elements.zones import REST, zone_name
from mri2mesh.geometry.mesh import Mesh

NUCLEUS_SHARE = 0.44
"""Of a disc's volume, farthest from its outer wall: a usual share in published finite element models."""


def boundary_triangles(tetrahedra: NDArray) -> NDArray[np.int64]:
    """[S, 3] outward faces of tetrahedra [T, 4] that no two of them share."""
    faces = tetrahedra[:, TET_FACES].reshape(-1, 3)
    keys = np.sort(faces, axis=1)
    _, first, count = np.unique(keys, axis=0, return_index=True, return_counts=True)
    return faces[np.sort(first[count == 1])]


def surface_sets(name: str, triangles: NDArray, zones: NDArray) -> dict[str, NDArray[np.int64]]:
    """``L3_SURFACE``, all of it, and one for each zone, ``L3_SUPERIOR_ENDPLATE`` and so on."""
    sets = {f"{set_name(name)}_SURFACE": triangles}
    for zone in np.unique(zones):
        if zone != REST:
            sets[f"{set_name(name)}_{zone_name(int(zone))}"] = triangles[zones == zone]
    return sets


def parts_of(
    name: str, kind: str, surface: Mesh, nodes: NDArray, tetrahedra: NDArray
) -> dict[str, NDArray[np.int64]]:
    """Elements of each part of one structure, numbered as the tetrahedra given; they cover it without overlap.

    A vertebra: BODY, and each region of its arch, by the region of the surface nearest to an element's centre. A disc:
    NUCLEUS and ANNULUS. Anything else, or without region labels: one part, ALL.
    """
    prefix = set_name(name)
    centres = nodes[tetrahedra[:, :4]].mean(axis=1)
    if surface.regions is None or kind not in ("vertebra", "disc"):
        return {f"{prefix}_ALL": np.arange(len(tetrahedra))}
    regions = np.asarray(surface.regions)
    if kind == "disc":
        return _disc_parts(prefix, surface, regions, nodes, tetrahedra, centres)
    regions = np.where(np.isin(regions, BODY_REGIONS), int(Region.BODY), regions)
    nearest = regions[cKDTree(surface.vertices).query(centres)[1]]
    return {
        f"{prefix}_{Region(int(region)).name}": np.nonzero(nearest == region)[0]
        for region in np.unique(nearest)
    }


def _disc_parts(
    prefix: str, surface: Mesh, regions: NDArray, nodes: NDArray, tetrahedra: NDArray, centres: NDArray
) -> dict[str, NDArray[np.int64]]:
    wall = surface.vertices[regions == Region.ANNULUS]
    if not len(wall):
        return {f"{prefix}_ALL": np.arange(len(tetrahedra))}
    a, b, c, d = (nodes[tetrahedra[:, k]] for k in range(4))
    volume = np.abs(np.einsum("ni,ni->n", np.cross(b - a, c - a), d - a)) / 6
    depth = cKDTree(wall).query(centres)[0]
    order = np.argsort(-depth, kind="stable")
    inner = order[np.cumsum(volume[order]) <= NUCLEUS_SHARE * volume.sum()]
    nucleus = np.zeros(len(tetrahedra), bool)
    nucleus[inner] = True
    return {f"{prefix}_NUCLEUS": np.nonzero(nucleus)[0], f"{prefix}_ANNULUS": np.nonzero(~nucleus)[0]}


def check_sets(mesh: VolumeMesh) -> None:
    """Raises ValueError unless the parts cover every element exactly once."""
    covered = np.bincount(
        np.concatenate([mesh.element_sets[part] for part in mesh.parts]), minlength=len(mesh.tetrahedra)
    )
    if (covered != 1).any():
        raise ValueError("the parts do not cover every element exactly once")
