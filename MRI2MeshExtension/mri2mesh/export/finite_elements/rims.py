"""The rims of zones and sharp creases as edges of the triangles, before anything else is done to these."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from mri2mesh.export.finite_elements.splitting import split_edges
from mri2mesh.export.finite_elements.working_surface import EdgeTable, WorkingSurface, edge_table, lengths
from mri2mesh.export.finite_elements.zones import REST, zone_fractions
from mri2mesh.geometry.mesh import Mesh

CREASE_DEG = 50.0
"""Two faces that turn by more than this meet in a crease, which is kept."""

_LEAST_CUT = 0.05
"""A rim does not cut an edge nearer to its end than this share of its length: no slivers."""
_LEAST_CREASE = 5.0
"""A crease shorter than so many edges, all its branches together, is roughness."""
_STRAIGHT_COSINE = 0.5
"""A crease that turns by more than 60 degrees has a corner there."""


def with_rims(mesh: Mesh, edge_length_mm: float) -> WorkingSurface:
    """The surface with every rim cut into it: the same shape, more triangles, each wholly in one zone.

    edge_length_mm: of the triangles to come. A crease is not kept where a rim runs within half of it (there would
    be no room for triangles between them), nor where it is shorter than a few edges (roughness, not a rim).
    Raises ValueError where an edge has more than two faces.
    """
    points = mesh.vertices.astype(np.float64)
    none = np.zeros((0, 2), np.int64)
    surface = WorkingSurface(
        points, mesh.faces, np.zeros(len(mesh.faces), np.int64), none, np.zeros(len(points), bool)
    )
    fractions = zone_fractions(mesh)
    labels = fractions.argmax(axis=1)
    table = edge_table(surface)
    a, b = table.pairs.T
    crossed = labels[a] != labels[b]
    on_rim = np.zeros(len(points), bool)
    creases = _long_chains(points, table.pairs[_creases(surface, table)], _LEAST_CREASE * edge_length_mm)
    on_rim[creases] = True
    on_rim &= np.isin(
        np.arange(len(points)), table.pairs[crossed]
    )  # where a crease is near, the rim runs along it
    cut = np.nonzero(crossed & ~on_rim[a] & ~on_rim[b])[0]
    a, b = a[cut], b[cut]
    here, there = labels[a], labels[b]
    at_a = fractions[a, here] - fractions[a, there]  # 0 on the rim, positive at a, negative at b
    at_b = fractions[b, here] - fractions[b, there]
    share = np.clip(at_a / np.maximum(at_a - at_b, 1e-12), _LEAST_CUT, 1 - _LEAST_CUT)
    places = points[a] + share[:, None] * (points[b] - points[a])
    surface = split_edges(surface, table, cut, places)
    zones = _zones_of(surface.faces, labels, on_rim)
    surface = WorkingSurface(surface.points, surface.faces, zones, none, surface.corners)
    return _with_kept_edges(surface, edge_length_mm)


def with_old_triangles(surface: WorkingSurface, places: NDArray, within_mm: NDArray) -> WorkingSurface:
    """The surface with its triangles around places [N, 3] kept as they are: they may be divided, nothing else.

    within_mm: [V] how far around, at each vertex.
    """
    if not len(places):
        return surface
    near = cKDTree(places).query(surface.points)[0] < within_mm
    pairs = edge_table(surface).pairs
    kept = pairs[near[pairs].all(axis=1)]
    rims = np.unique(np.concatenate([surface.rims, kept]), axis=0)
    return WorkingSurface(surface.points, surface.faces, surface.zones, rims, surface.corners | near)


def _zones_of(faces: NDArray, labels: NDArray, on_rim: NDArray) -> NDArray[np.int64]:
    """[F] the zone of the old corners of each face that are not on a rim; of one between rims, the most frequent."""
    old = np.minimum(faces, len(labels) - 1)
    corners = np.where(faces < len(labels), labels[old], -1)
    zones = np.where(on_rim[old], -1, corners).max(axis=1)
    return np.where(zones < 0, np.maximum(np.median(corners, axis=1).astype(np.int64), REST), zones)


def _with_kept_edges(surface: WorkingSurface, edge_length_mm: float) -> WorkingSurface:
    table = edge_table(surface)
    inner = table.faces[:, 1] >= 0
    first, second = table.faces.T
    rims = table.pairs[~inner | (surface.zones[first] != surface.zones[second])]
    creases = _long_chains(
        surface.points, table.pairs[_creases(surface, table)], _LEAST_CREASE * edge_length_mm
    )
    if len(rims) and len(creases):
        near = cKDTree(surface.points[rims.ravel()]).query(surface.points)[0] < 0.5 * edge_length_mm
        creases = creases[~near[creases].any(axis=1)]
    rims = np.unique(np.concatenate([rims, creases]), axis=0)
    return WorkingSurface(
        surface.points, surface.faces, surface.zones, rims, _sharp_turns(surface.points, rims)
    )


def _long_chains(points: NDArray, pairs: NDArray, least_mm: float) -> NDArray[np.int64]:
    """The edges that hang together in chains of at least this length in all."""
    size = len(points)
    graph = sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    chain = connected_components(graph, directed=False)[1][pairs[:, 0]]
    total = np.bincount(chain, lengths(points, pairs), minlength=size)
    return pairs[total[chain] >= least_mm]


def _creases(surface: WorkingSurface, table: EdgeTable) -> NDArray[np.bool_]:
    normals = surface.face_normals()
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    first, second = table.faces.T
    turn = np.einsum("ni,ni->n", normals[first], normals[second])
    return (second >= 0) & (turn < np.cos(np.radians(CREASE_DEG)))


def _sharp_turns(points: NDArray, rims: NDArray) -> NDArray[np.bool_]:
    """[V] vertices with two rim edges that do not go on in much the same direction."""
    towards = np.zeros((len(points), 3))
    unit = points[rims[:, 1]] - points[rims[:, 0]]
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-30)
    np.add.at(towards, rims[:, 0], unit)
    np.add.at(towards, rims[:, 1], -unit)
    two = np.bincount(rims.ravel(), minlength=len(points)) == 2
    # two unit vectors away from the vertex: opposite ones sum to 0, equal ones to 2
    return two & ((towards**2).sum(axis=1) > 2 - 2 * _STRAIGHT_COSINE)
