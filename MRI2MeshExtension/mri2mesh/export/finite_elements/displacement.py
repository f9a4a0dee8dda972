"""How far new triangles lie from the old surface, and new vertices put where that is too far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.export.finite_elements.sliding import ANOTHER_SHEET, Ground, vertex_normals, without_folds
from mri2mesh.export.finite_elements.working_surface import CORNER, WorkingSurface, edge_table
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface

SHARE_OF_EDGE = 0.3
"""The largest displacement allowed, as a share of the edge length: 0.3 mm at edges of 1 mm."""

_SAMPLES = 20_000
_CLOSE = 0.9
_ALERT = 0.75
"""Places farther off than this share of what is allowed get a vertex of their own."""


@dataclass(frozen=True)
class Displacement:
    """Distances between old and new surface, both ways, millimetres."""

    mean_mm: float
    p95_mm: float
    largest_mm: float


def displacement(old: Mesh, new: Mesh, seed: int = 0) -> Displacement:
    """From every vertex and 20,000 places spread over either surface to the nearest place on the other."""
    rng = np.random.default_rng(seed)
    spread = np.concatenate(
        [
            point_to_surface(sample_surface(old, _SAMPLES, rng)[0], new),
            point_to_surface(sample_surface(new, _SAMPLES, rng)[0], old),
        ]
    )
    corners = np.concatenate([point_to_surface(old.vertices, new), point_to_surface(new.vertices, old)])
    return Displacement(
        float(spread.mean()), float(np.percentile(spread, 95)), float(max(spread.max(), corners.max()))
    )


def far_places(surface: WorkingSurface, ground: Ground, limit_mm: float) -> NDArray[np.float64]:
    """[N, 3] places of the old surface that the new one misses by nearly the limit or more, or where it cuts itself."""
    places, close = ground.samples, _CLOSE * limit_mm
    old = places[point_to_surface(places, surface.mesh()) > close]
    faces = surface.faces
    middles = [surface.points[faces].mean(axis=1)]
    middles += [surface.points[faces[:, [k, k - 1]]].mean(axis=1) for k in range(3)]
    new = np.concatenate(middles)
    there = ground.on_surface(new)[0]
    off = np.linalg.norm(new - there, axis=1) > close
    crossing = self_intersecting_pairs(surface.points.astype(np.float32), faces).ravel()
    return np.concatenate([old, there[off], surface.points[faces[crossing]].reshape(-1, 3)])


def touch_far_places(
    surface: WorkingSurface, ground: Ground, wanted: NDArray, limit_mm: float
) -> WorkingSurface | None:
    """Where an old vertex is too far from the surface, the nearest new one that may move goes there and stays.

    wanted: [V] edge lengths at the surface's vertices. Returns None where no place is too far or none can be helped.
    """
    places, normals = ground.points, vertex_normals(surface)
    apart = point_to_surface(places, surface.mesh())
    far = np.nonzero(apart > _ALERT * limit_mm)[0]
    free = np.nonzero(surface.vertex_kinds() != CORNER)[0]
    if not len(far) or not len(free):
        return None
    far = far[np.argsort(-apart[far], kind="stable")]
    tree = cKDTree(surface.points[free])
    distance, nearest = tree.query(places[far])
    moved, corners = surface.points.copy(), surface.corners.copy()
    taken: list[NDArray] = []
    for old, vertex, away in zip(far, free[nearest], distance, strict=True):
        place = places[old]
        if ground.normals[old] @ normals[vertex] < ANOTHER_SHEET:
            continue  # the other side of thin bone
        crowded = any(np.linalg.norm(place - other) < wanted[vertex] for other in taken)
        if corners[vertex] or crowded or away > 1.5 * wanted[vertex]:
            continue
        taken.append(place)
        moved[vertex], corners[vertex] = place, True
    if not taken:
        return None
    moved = without_folds(surface, edge_table(surface), moved)
    corners &= surface.corners | (moved != surface.points).any(axis=1)
    return WorkingSurface(moved, surface.faces, surface.zones, surface.rims, corners)
