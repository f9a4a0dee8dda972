"""Surfaces that fold or run into each other, mended before anybody sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.geometry.connectivity import neighbour_average
from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections
from mri2mesh.geometry.sampling import vertex_normals

GAP_MM = 0.2
ROUNDS = 6
SPREAD_STEPS = 3
"""Smoothing of the moves over a surface, so that a push leaves a dent and no spike."""


def separate(meshes: dict[str, Mesh]) -> dict[str, Mesh]:
    """Closed surfaces, keyed by structure and ordered along the spine, without folds and without overlap.

    Between bone and disc the disc gives way; between bones both do. A fold is smoothed away where it is.
    """
    meshes = {name: remove_self_intersections(mesh) for name, mesh in meshes.items()}
    for first, second in touching_pairs(meshes):
        meshes[first], meshes[second] = _apart(meshes[first], meshes[second], _share(first, second))
    return {name: remove_self_intersections(mesh) for name, mesh in meshes.items()}


def touching_pairs(meshes: dict[str, Mesh]) -> list[tuple[str, str]]:
    """Pairs of structures whose bounding boxes overlap: only they can run into each other."""
    names = list(meshes)
    low = {name: mesh.vertices.min(0) for name, mesh in meshes.items()}
    high = {name: mesh.vertices.max(0) for name, mesh in meshes.items()}
    return [
        (a, b)
        for n, a in enumerate(names)
        for b in names[n + 1 :]
        if (low[a] <= high[b]).all() and (low[b] <= high[a]).all()
    ]


def _share(first: str, second: str) -> float:
    """Share of the way that the first gives: all of it when only it is a disc."""
    soft = [STRUCTURES[name].kind == "disc" for name in (first, second)]
    return {(True, False): 1.0, (False, True): 0.0}.get((soft[0], soft[1]), 0.5)


def _apart(a: Mesh, b: Mesh, share: float) -> tuple[Mesh, Mesh]:
    for _ in range(ROUNDS):
        moved = False
        if share > 0:
            a, deep = _pushed_out(a, b, share)
            moved |= deep
        if share < 1:
            b, deep = _pushed_out(b, a, 1 - share)
            moved |= deep
        if not moved:
            break
    return a, b


def _pushed_out(mesh: Mesh, other: Mesh, share: float) -> tuple[Mesh, bool]:
    """Vertices of ``mesh`` inside ``other`` moved towards its surface; False when none was inside.

    The way out is along the normal of the other surface nearby. A vertex of the other inside this mesh is met by
    moving this mesh's nearest vertices inwards, so that thin plates, all of whose vertices are outside, part too.
    """
    vertices = mesh.vertices.astype(np.float64)
    near = _near(vertices, other)
    move = np.zeros_like(vertices)
    if near.any():
        depth = -signed_distance(vertices[near], other)
        _, nearest = cKDTree(other.vertices).query(vertices[near])
        way = np.where(depth > 0, depth + GAP_MM, 0.0)
        move[near] = share * way[:, None] * vertex_normals(other)[nearest]
    theirs = _near(other.vertices, mesh)
    if theirs.any():
        points = other.vertices[theirs].astype(np.float64)
        depth = -signed_distance(points, mesh)
        inside = depth > 0
        if inside.any():
            _, hit = cKDTree(vertices).query(points[inside])
            normals = vertex_normals(mesh)
            for vertex, way in zip(hit, depth[inside], strict=True):
                wanted = -share * (way + GAP_MM) * normals[vertex]
                if np.linalg.norm(wanted) > np.linalg.norm(move[vertex]):
                    move[vertex] = wanted
    if not move.any():
        return mesh, False
    return mesh.with_vertices(vertices + _spread(move, mesh)), True


def _near(points: NDArray, other: Mesh) -> NDArray[np.bool_]:
    return ((points >= other.vertices.min(0)) & (points <= other.vertices.max(0))).all(1)


def _spread(move: NDArray, mesh: Mesh) -> NDArray:
    """Moves diffused to the neighbours; a vertex that has to move is not held back by those that need not."""
    average = neighbour_average(mesh.faces, len(mesh.vertices))
    wanted = np.linalg.norm(move, axis=1, keepdims=True)
    spread = move
    for _ in range(SPREAD_STEPS):
        spread = 0.5 * spread + 0.5 * (average @ spread)
    return np.where(wanted > 0, move, spread)
