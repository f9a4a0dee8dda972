"""New triangles of a chosen edge length on the same surface, with the rims of its zones along their edges.

Isotropic remeshing (Botsch and Kobbelt 2004, "A remeshing approach to multiresolution modeling"): long edges are cut,
short ones drawn together, edges turned where that makes vertices more regular, and vertices slid over the old surface,
in turn. Edges on a rim are kept: their vertices move along the rim alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.collapsing import collapse_short_edges
from mri2mesh.export.finite_elements.displacement import far_places, touch_far_places
from mri2mesh.export.finite_elements.flipping import flip_edges
from mri2mesh.export.finite_elements.rims import with_old_triangles, with_rims
from mri2mesh.export.finite_elements.sliding import Ground, slide
from mri2mesh.export.finite_elements.splitting import split_long_edges
from mri2mesh.export.finite_elements.working_surface import WorkingSurface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.remeshing import transfer_point_data

ROUNDS = 10
_SLIDES = 3
_TOUCHES = 4
_KEPT_AROUND = (0.35, 0.6, 1.0)
"""Shares of the edge length around a missed place within which old triangles stay: little in the first further attempt,
so that few edges are too short, and more where that was not enough."""
_MOST_SPLITS = 8


@dataclass(frozen=True)
class EvenSurface:
    """mesh: RAS millimetres, with the old surface's point data. zones: [F] the zone number of each face.

    wanted: [V] the edge length wanted at each vertex, millimetres. rims: [R, 2] edges along a rim or crease.
    """

    mesh: Mesh
    zones: NDArray[np.int64]
    wanted: NDArray[np.float64]
    rims: NDArray[np.int64]


def even_triangles(mesh: Mesh, edge_length_mm: float | NDArray, limit_mm: float) -> EvenSurface:
    """The surface in triangles whose edges are all about edge_length_mm, one number or one per vertex [V].

    limit_mm: how far the surface may be displaced. Places farther off get a vertex of their own; where that is not
    enough, as on the edge of a thin blade, the old triangles stay. What came out has to be measured afterwards
    (`displacement.displacement`).
    Raises ValueError where an edge has more than two faces.
    """
    wanted = np.broadcast_to(np.asarray(edge_length_mm, np.float64), len(mesh.vertices))
    old = with_rims(mesh, float(wanted.mean()))
    wanted = np.concatenate([wanted, np.full(len(old.points) - len(wanted), wanted.mean())])
    ground = Ground(old, wanted)
    begun = old
    for share in (*_KEPT_AROUND, None):
        held = _held(*_evened(begun, wanted, ground), ground, limit_mm)
        surface, now_wanted, far = _tidied(*held, ground, limit_mm)
        if not len(far) or share is None:
            break
        begun = with_old_triangles(begun, far, share * wanted)
    result = transfer_point_data(mesh, surface.mesh())
    return EvenSurface(result, surface.zones, now_wanted, surface.rims)


def _evened(surface: WorkingSurface, wanted: NDArray, ground: Ground) -> tuple[WorkingSurface, NDArray]:
    for _ in range(ROUNDS):
        for _ in range(_MOST_SPLITS):
            count = len(surface.points)
            surface = split_long_edges(surface, wanted)
            wanted = ground.on_surface(surface.points)[1]
            if len(surface.points) == count:
                break
        surface, wanted = collapse_short_edges(surface, wanted)
        surface = flip_edges(surface, wanted)
        for _ in range(_SLIDES):
            surface, wanted = slide(surface, wanted, ground)
    return flip_edges(surface, wanted), wanted


def _held(
    surface: WorkingSurface, wanted: NDArray, ground: Ground, limit_mm: float
) -> tuple[WorkingSurface, NDArray]:
    """Vertices put on the places that the triangles miss, the others slid to make room."""
    for _ in range(_TOUCHES):
        touched = touch_far_places(surface, ground, wanted, limit_mm)
        if touched is None:
            break
        surface = touched
        for _ in range(_SLIDES):
            surface, wanted = slide(surface, wanted, ground)
        surface = flip_edges(surface, wanted)
    return surface, wanted


def _tidied(
    surface: WorkingSurface, wanted: NDArray, ground: Ground, limit_mm: float
) -> tuple[WorkingSurface, NDArray, NDArray]:
    """The surface after vertices were put on far places, which drew edges after them: with long edges cut and short
    ones drawn together, or with long edges cut, or as it is, whichever is the first that misses no place; lengths
    wanted; and the places that are missed all the same."""
    cut = split_long_edges(surface, wanted)
    cut_wanted = ground.on_surface(cut.points)[1]
    for now, now_wanted in (collapse_short_edges(cut, cut_wanted), (cut, cut_wanted)):
        for _ in range(_SLIDES):
            now, now_wanted = slide(now, now_wanted, ground)
        now = flip_edges(now, now_wanted)
        if not len(far := far_places(now, ground, limit_mm)):
            return now, now_wanted, far
    return surface, wanted, far_places(surface, ground, limit_mm)
