"""Take the folds out of a surface without changing how it is connected."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mri2mesh.geometry.connectivity import grow, neighbour_average, vertex_adjacency
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh

_log = logging.getLogger(__name__)
_ROUNDS_PER_RING = 6
_MAX_RING = 6


@dataclass(frozen=True)
class Untangled:
    """mesh: same faces and point data. remaining: pairs of faces that still meet (0 = solved).
    moved: vertices that moved; largest_move_mm: how far the farthest did."""

    mesh: Mesh
    remaining: int
    moved: int
    largest_move_mm: float


def remove_self_intersections(mesh: Mesh) -> Mesh:
    """The surface with its self-intersections smoothed away; faces and point data as they were.

    Logs a warning and returns the best that was found when some cannot be removed: see `untangle`, or count
    them with `checks.self_intersections`.
    """
    result = untangle(mesh)
    if result.remaining:
        _log.warning("%d pairs of faces still intersect after repair", result.remaining)
    return result.mesh


def untangle(mesh: Mesh) -> Untangled:
    """Smooth around the faces that intersect until none does, moving few vertices and those little.

    Vertices of offending faces are drawn towards the mean of their neighbours, then, should that not do, with
    wider and wider rings around them; faces that meet because two sheets cross are drawn apart the same way,
    as smoothing pulls each sheet back to its own side. At the end the moves are taken back as far as it stays
    clean.
    """
    start = mesh.vertices.astype(np.float64)
    pairs = self_intersecting_pairs(start, mesh.faces)
    if not len(pairs):
        return Untangled(mesh, 0, 0, 0.0)
    adjacency = vertex_adjacency(mesh.faces, len(start))
    average = neighbour_average(mesh.faces, len(start))
    best, fewest = start, len(pairs)
    vertices, fruitless = start, 0
    for ring in range(_MAX_RING + 1):
        before = fewest
        for _ in range(_ROUNDS_PER_RING):
            tangled = np.zeros(len(start), bool)
            tangled[mesh.faces[pairs]] = True
            free = grow(tangled, adjacency, ring)
            vertices = _smoothed(vertices, free, average, steps=2 + 2 * ring)
            vertices = vertices.astype(np.float32).astype(np.float64)  # what a Mesh will hold
            pairs = self_intersecting_pairs(vertices, mesh.faces, _faces_of(free, mesh.faces))
            if len(pairs) < fewest:
                best, fewest = vertices, len(pairs)
            if not len(pairs):
                return _result(mesh, _held_back(start, vertices, mesh.faces), 0)
        fruitless = fruitless + 1 if fewest == before else 0
        if fruitless == 2:
            break
    return _result(mesh, best, fewest)


def _faces_of(vertices: NDArray, faces: NDArray) -> NDArray:
    """[F] whether a face has one of the marked vertices [V]."""
    return np.asarray(vertices)[faces].any(axis=1)


def _smoothed(vertices: NDArray, free: NDArray, average: sparse.csr_matrix, steps: int) -> NDArray:
    """The free vertices moved towards their neighbours' mean; the others stay."""
    rows = average[free]
    vertices = vertices.copy()
    for _ in range(steps):
        vertices[free] += 0.7 * (rows @ vertices - vertices[free])
    return vertices


def _held_back(start: NDArray, end: NDArray, faces: NDArray) -> NDArray:
    """The first clean place on the straight way from start to end, found by halving."""
    low, high, clean = 0.0, 1.0, end
    moving = _faces_of((start != end).any(axis=1), faces)
    for _ in range(4):
        middle = (low + high) / 2
        trial = (start + middle * (end - start)).astype(np.float32).astype(np.float64)
        if len(self_intersecting_pairs(trial, faces, moving)):
            low = middle
        else:
            high, clean = middle, trial
    return clean


def _result(mesh: Mesh, vertices: NDArray, remaining: int) -> Untangled:
    repaired = mesh.with_vertices(vertices)
    moves = np.linalg.norm(repaired.vertices - mesh.vertices, axis=1)
    return Untangled(repaired, remaining, int((moves > 0).sum()), float(moves.max()))
