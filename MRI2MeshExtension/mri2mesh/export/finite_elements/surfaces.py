"""Surfaces made ready: new triangles, their zones, and the figures that say how good they are."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.displacement import SHARE_OF_EDGE, displacement
from mri2mesh.export.finite_elements.even_triangles import even_triangles
from mri2mesh.export.finite_elements.quality import edge_figures
from mri2mesh.geometry.checks import area_mm2, is_watertight, outward, self_intersections
from mri2mesh.geometry.connectivity import neighbour_average
from mri2mesh.geometry.edges import edges
from mri2mesh.geometry.mesh import Mesh

_MOST_TRIANGLES = 600_000
_SHORTEST_SHARE = 0.5
_TURN_PER_EDGE = 0.6
"""By curvature: an edge turns the surface by about this many radians, as far as the lengths allow."""


@dataclass(frozen=True)
class ReadySurface:
    """mesh: RAS mm, closed, outward. zones: [F] zone numbers. wanted: [V] edge lengths, mm. figures: see sidecar."""

    mesh: Mesh
    zones: NDArray[np.int64]
    wanted: NDArray[np.float64]
    figures: dict[str, Any]


def ready_surface(
    name: str,
    mesh: Mesh,
    edge_length_mm: float,
    by_curvature: bool = False,
    max_displacement_mm: float | None = None,
) -> ReadySurface:
    """New triangles of this edge length; rims of endplates and facets stay edges.

    Raises InputError where the surface is open, the edges are longer than the bone or too short for any memory, or new
    triangles would lie farther from the surface than allowed or cut themselves.
    """
    begun = time.process_time()
    mesh = check_closed(name, mesh)
    check_length(name, mesh, edge_length_mm)
    limit = max_displacement_mm or SHARE_OF_EDGE * edge_length_mm
    wanted = curvature_lengths(mesh, edge_length_mm) if by_curvature else edge_length_mm
    even = even_triangles(mesh, wanted, limit)
    crossing = self_intersections(even.mesh) if is_watertight(even.mesh) else 1
    if crossing:
        raise InputError(
            f"{name}: triangles of {edge_length_mm:g} mm cut each other: give a shorter edge length"
        )
    apart = displacement(mesh, even.mesh)
    if apart.largest_mm > limit:
        raise InputError(
            f"{name}: triangles of {edge_length_mm:g} mm would move its surface by up to {apart.largest_mm:.2f} mm, "
            f"more than the {limit:.2f} mm allowed: give a shorter edge length or a larger --max-displacement"
        )
    figures = {
        "vertices": len(even.mesh.vertices),
        "triangles": len(even.mesh.faces),
        "wanted_edge_length_mm": edge_length_mm,
        "by_curvature": by_curvature,
        "edges": asdict(edge_figures(even.mesh.vertices, edges(even.mesh.faces), even.wanted)),
        "displacement": asdict(apart),
        "largest_displacement_allowed_mm": limit,
        "seconds_of_one_core": round(time.process_time() - begun, 2),
    }
    return ReadySurface(even.mesh, even.zones, even.wanted, figures)


def check_closed(name: str, mesh: Mesh) -> Mesh:
    """The surface, outward. Raises InputError unless it is closed and free of self-intersections."""
    mesh = outward(mesh)
    if not is_watertight(mesh):
        raise InputError(
            f"{name} is not a closed surface: fill its holes first, for instance in Slicer's Surface Toolbox"
        )
    crossing = self_intersections(mesh)
    if crossing:
        raise InputError(f"{name} cuts itself in {crossing} places: repair it first")
    return mesh


def check_length(name: str, mesh: Mesh, edge_length_mm: float) -> None:
    """Raises InputError for edges longer than half of the surface's smallest extent, or for too many triangles."""
    axes = np.linalg.svd(mesh.vertices - mesh.vertices.mean(axis=0), full_matrices=False)[2]
    thinnest = float(np.ptp(mesh.vertices @ axes.T, axis=0).min())
    if edge_length_mm > thinnest / 2:
        raise InputError(
            f"{name} is {thinnest:.1f} mm thin, too small for edges of {edge_length_mm:g} mm: "
            f"give {thinnest / 2:.1f} or less"
        )
    count = area_mm2(mesh) / (edge_length_mm**2 * np.sqrt(3) / 4)
    if count > _MOST_TRIANGLES:
        raise InputError(
            f"{name} would have {count:.1e} triangles of {edge_length_mm:g} mm: give a longer edge length"
        )


def curvature_lengths(mesh: Mesh, longest_mm: float) -> NDArray[np.float64]:
    """[V] millimetres: the longest where the surface is flat, down to half of it where it bends.

    The bend at a vertex is the largest turn of the normal along an edge, for each millimetre of the edge.
    """
    from mri2mesh.geometry.sampling import vertex_normals

    normals, pairs = vertex_normals(mesh), edges(mesh.faces)
    turn = np.linalg.norm(normals[pairs[:, 0]] - normals[pairs[:, 1]], axis=1)
    length = np.linalg.norm(mesh.vertices[pairs[:, 0]] - mesh.vertices[pairs[:, 1]], axis=1)
    bend = np.zeros(len(mesh.vertices))
    np.maximum.at(bend, pairs, (turn / np.maximum(length, 1e-9))[:, None])
    average = neighbour_average(mesh.faces, len(mesh.vertices))
    for _ in range(3):  # lengths that change slowly leave room for good triangles
        bend = average @ bend
    return np.clip(_TURN_PER_EDGE / np.maximum(bend, 1e-9), _SHORTEST_SHARE * longest_mm, longest_mm)
