"""Regions of a vertebra or a disc, one label per vertex, and the vertebral body cut out by them."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh


class Region(IntEnum):
    """Part of a structure a vertex belongs to (``Mesh.point_data["region"]``)."""

    BODY = 0
    """The side wall of the vertebral body."""
    SUPERIOR_ENDPLATE = 1
    INFERIOR_ENDPLATE = 2
    PEDICLE_LEFT = 3
    PEDICLE_RIGHT = 4
    LAMINA = 5
    FACET_SUPERIOR_LEFT = 6
    FACET_SUPERIOR_RIGHT = 7
    FACET_INFERIOR_LEFT = 8
    FACET_INFERIOR_RIGHT = 9
    TRANSVERSE_LEFT = 10
    TRANSVERSE_RIGHT = 11
    SPINOUS = 12
    ENDPLATE_SUPERIOR = 13
    """Disc: the side that touches the vertebra above."""
    ENDPLATE_INFERIOR = 14
    """Disc: the side that touches the vertebra below."""
    ANNULUS = 15
    """Disc: the outer wall."""
    CUT = 16
    """Not a real surface: where the structure was cut off a larger bone (pedicles, sacrum)."""


BODY_REGIONS = (Region.BODY, Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE)
"""What belongs to the vertebral body."""


def is_body(regions: NDArray) -> NDArray[np.bool_]:
    """[V] which vertices, by their regions [V], belong to the vertebral body."""
    return np.isin(regions, BODY_REGIONS)


def main_part(regions: NDArray, kind: str) -> NDArray[np.bool_]:
    """[V] what a structure is placed, sized and checked by: of a vertebra its body, of a disc or S1 all of it."""
    return is_body(regions) if kind == "vertebra" else np.ones(len(regions), bool)


MIRRORED_REGION = np.arange(len(Region))
"""Region of the mirror image, indexed by region: left and right change places."""
for _side in (3, 6, 8, 10):
    MIRRORED_REGION[[_side, _side + 1]] = _side + 1, _side

_CAP_RINGS = 3


def boundary_loops(faces: NDArray) -> list[NDArray]:
    """Closed loops of vertex indices along the open edges of [F, 3] faces, in the direction of the faces' edges.

    Raises ValueError where two loops touch in one vertex.
    """
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    size = int(faces.max()) + 1
    one_way = edges[:, 0] * size + edges[:, 1]
    open_edges = edges[~np.isin(one_way, edges[:, 1] * size + edges[:, 0])]
    following = dict(open_edges.tolist())
    if len(following) != len(open_edges):
        raise ValueError("two boundary loops touch in one vertex")
    loops = []
    while following:
        first, vertex = following.popitem()
        loop = [first]
        while vertex != first:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(np.array(loop))
    return loops


def body_of(mesh: Mesh) -> Mesh:
    """The closed vertebral body of a whole vertebra: its body regions, with smooth caps over the pedicle cuts.

    Vertices of the caps carry `Region.CUT`. Raises InputError when the surface has no region labels or no body.
    """
    if mesh.regions is None:
        raise InputError("the vertebra has no region labels: use a mesh made from this project's template")
    inside = is_body(mesh.regions)
    if not inside.any():
        raise InputError("the mesh has no vertebral body: body_of needs a vertebra")
    return closed_part(mesh, inside)


def closed_part(mesh: Mesh, kept: NDArray[np.bool_]) -> Mesh:
    """The part of a closed surface that the kept vertices [V] span, with smooth caps where it was cut off.

    Vertices of the caps come last and carry `Region.CUT`, where the surface has regions; its other arrays are dropped.
    """
    faces = mesh.faces[kept[mesh.faces].all(axis=1)]
    used = np.unique(faces)
    renumber = np.full(len(mesh.vertices), -1)
    renumber[used] = np.arange(len(used))
    vertices, faces = mesh.vertices[used], renumber[faces]
    data = {} if mesh.regions is None else {"region": np.asarray(mesh.regions)[used]}
    for loop in boundary_loops(faces):
        cap, cap_faces = _cap(vertices, loop)
        vertices, faces = np.concatenate([vertices, cap]), np.concatenate([faces, cap_faces])
        data = {
            name: np.concatenate([regions, np.full(len(cap), Region.CUT, regions.dtype)])
            for name, regions in data.items()
        }
    return Mesh(vertices, faces, data)


def _cap(vertices: NDArray, loop: NDArray) -> tuple[NDArray, NDArray]:
    """A membrane over a loop: rings shrinking to a centre, smoothed to equilibrium, facing outward.

    Returns the new vertices [N, 3] and faces that index ``vertices`` followed by them.
    """
    rim, count, first = vertices[loop].astype(np.float64), len(loop), len(vertices)
    centre = rim.mean(axis=0)
    shrink = 1.0 - np.arange(1, _CAP_RINGS + 1) / (_CAP_RINGS + 1)
    rings = [rim] + [centre + s * (rim - centre) for s in shrink]
    for _ in range(20):  # a smooth ring is what keeps a jagged rim from folding the cap
        for r in range(1, _CAP_RINGS + 1):
            inner = rings[r + 1] if r < _CAP_RINGS else np.broadcast_to(rings[r].mean(axis=0), rim.shape)
            along = np.roll(rings[r], 1, axis=0) + np.roll(rings[r], -1, axis=0)
            rings[r] = (along + rings[r - 1] + inner) / 4.0
    new = np.concatenate([*rings[1:], rings[-1].mean(axis=0, keepdims=True)]).astype(np.float32)
    index = np.concatenate([loop[None], first + np.arange(_CAP_RINGS * count).reshape(_CAP_RINGS, count)])
    faces = []
    for r in range(_CAP_RINGS):  # the cap runs against the direction of the open edges, so it closes them
        a, b, c, d = index[r], np.roll(index[r], -1), index[r + 1], np.roll(index[r + 1], -1)
        faces += [np.stack([b, a, c], axis=1), np.stack([b, c, d], axis=1)]
    last = np.full(count, first + _CAP_RINGS * count)
    faces.append(np.stack([np.roll(index[-1], -1), index[-1], last], axis=1))
    return new, np.concatenate(faces)
