"""A disc seated between two vertebrae: its ends are copies of their endplates' triangles, and only the disc moves.

Reconstructed discs stand a little off the endplates or dip into them. For a finite element model they have to share
their nodes: the disc's ends become the endplates, whole, up to their rims, and its wall runs from rim to rim.

That fills the gaps at both ends. So that the disc does not grow by them, its wall is made as much less round as keeps
its volume: what an image shows best of a disc is how much of it there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import Region, boundary_loops
from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.disc_wall import Rim, wall_between
from mri2mesh.export.finite_elements.displacement import displacement
from mri2mesh.export.finite_elements.quality import edge_figures
from mri2mesh.export.finite_elements.surfaces import ReadySurface
from mri2mesh.export.finite_elements.zones import REST, zone_number
from mri2mesh.geometry.checks import is_watertight, volume_mm3
from mri2mesh.geometry.connectivity import component_labels, select_faces
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.edges import edges
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.remeshing import transfer_point_data

_TRIES = 11
"""How many walls are tried from the one that keeps the disc's volume to the roundest."""
_ROOM_MM = 5.0


def seat_disc(
    name: str,
    disc: Mesh,
    points: NDArray,
    upper: tuple[str, NDArray, NDArray],
    lower: tuple[str, NDArray, NDArray],
    edge_length_mm: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], ReadySurface]:
    """New points [P, 3] after those of the assembly [V, 3], the disc's triangles, and it as a surface of its own.

    upper, lower: name, triangles [F, 3] and zones [F] of the vertebrae above and below.
    Raises InputError where an endplate is not one piece with one rim, or the disc would not be closed.
    """
    top = _endplate(*upper, points, Region.INFERIOR_ENDPLATE)
    bottom = _endplate(*lower, points, Region.SUPERIOR_ENDPLATE)
    above, below = points[np.unique(top)].mean(axis=0), points[np.unique(bottom)].mean(axis=0)
    up = (above - below) / np.linalg.norm(above - below)
    right = np.cross([0.0, 1.0, 0.0], up)
    right /= np.linalg.norm(right)
    frame = np.stack([right, np.cross(up, right), up])
    centre = (above + below) / 2
    rims = []
    for patch, owner in ((top, upper[0]), (bottom, lower[0])):
        loops = boundary_loops(patch)
        if len(loops) != 1:
            raise InputError(
                f"the endplate of {owner} at {name} has {len(loops)} rims instead of one: leave out --join"
            )
        rims.append(Rim(points[loops[0]], loops[0], frame, centre))
    ends = np.concatenate([top[:, ::-1], bottom[:, ::-1]])

    def closed(roundness: float) -> tuple[NDArray, NDArray]:
        new, wall = wall_between(rims[0], rims[1], disc, frame, edge_length_mm, len(points), roundness)
        return new, np.concatenate([ends, wall])

    def excess(roundness: float) -> float:
        new, triangles = closed(roundness)
        surface = Mesh(np.concatenate([points, new]).astype(np.float32), triangles)
        return volume_mm3(surface) - volume_mm3(disc)

    around = _near(points, np.concatenate([upper[1], lower[1]]), np.concatenate([top, bottom]))

    def is_free(roundness: float) -> bool:
        new, triangles = closed(roundness)
        faces = np.concatenate([around, triangles[len(ends) :]])
        return not len(self_intersecting_pairs(np.concatenate([points, new]).astype(np.float32), faces))

    wanted_roundness = _root(excess)
    # a wall that stands in may run into a rim that overhangs: rounder until it does not
    tries = wanted_roundness + np.linspace(0, 1, _TRIES) * (1 - wanted_roundness)
    roundness = next((one for one in tries.tolist() if is_free(one)), 1.0)
    new, triangles = closed(roundness)
    zones = np.repeat(
        [zone_number(Region.ENDPLATE_SUPERIOR), zone_number(Region.ENDPLATE_INFERIOR), REST],
        [len(top), len(bottom), len(triangles) - len(ends)],
    )
    surface = _as_surface(disc, np.concatenate([points, new]), triangles, zones)
    if not is_watertight(surface) or volume_mm3(surface) <= 0:
        raise InputError(f"{name} cannot be seated between {upper[0]} and {lower[0]}: leave out --join")
    figures = _figures(disc, surface, points[np.unique(top)], points[np.unique(bottom)], edge_length_mm)
    figures["roundness_of_wall_kept"] = round(roundness, 3)
    wanted = np.full(len(surface.vertices), edge_length_mm)
    return new, triangles, ReadySurface(surface, zones, wanted, figures)


def _near(points: NDArray, triangles: NDArray, ends: NDArray) -> NDArray[np.int64]:
    """The triangles that a disc's wall could meet: those with a corner in the box around its ends."""
    low, high = points[ends].min(axis=(0, 1)) - _ROOM_MM, points[ends].max(axis=(0, 1)) + _ROOM_MM
    inside = ((points >= low) & (points <= high)).all(axis=1)
    return triangles[inside[triangles].any(axis=1)]


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of -1 to 1 is 0, to a 500th; an end where it is not 0 between them."""
    low, high = -1.0, 1.0
    if rising(high) <= 0:
        return high
    if rising(low) >= 0:
        return low
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _endplate(
    name: str, triangles: NDArray, zones: NDArray, points: NDArray, region: Region
) -> NDArray[np.int64]:
    """[F, 3] the largest piece of an endplate. Raises InputError where there is none."""
    chosen = triangles[zones == zone_number(region)]
    if not len(chosen):
        raise InputError(
            f"{name} has no {region.name.lower().replace('_', ' ')} to seat a disc on: leave out --join"
        )
    labels = component_labels(Mesh(points.astype(np.float32), chosen))[1]
    return chosen[labels == np.bincount(labels).argmax()]


def _as_surface(disc: Mesh, points: NDArray, triangles: NDArray, zones: NDArray) -> Mesh:
    """The disc by itself, with the old one's arrays; regions by the zone of each face, the wall where they meet."""
    region = np.full(len(points), int(Region.ANNULUS), np.int16)
    on_wall = np.zeros(len(points), bool)
    on_wall[triangles[zones == REST]] = True
    for end in (Region.ENDPLATE_SUPERIOR, Region.ENDPLATE_INFERIOR):
        members = np.unique(triangles[zones == zone_number(end)])
        region[members[~on_wall[members]]] = end
    bare = Mesh(points.astype(np.float32), triangles, {"region": region})
    used = np.unique(triangles)
    alone = select_faces(bare, np.ones(len(triangles), bool))
    regions = region[used]
    return transfer_point_data(disc, alone.with_point_data()).with_point_data(region=regions)


def _figures(
    disc: Mesh, seated: Mesh, top: NDArray, bottom: NDArray, edge_length_mm: float
) -> dict[str, Any]:
    gaps = point_to_surface(np.concatenate([top, bottom]), disc)
    return {
        "seated": True,
        "vertices": len(seated.vertices),
        "triangles": len(seated.faces),
        "wanted_edge_length_mm": edge_length_mm,
        "edges": asdict(edge_figures(seated.vertices, edges(seated.faces), edge_length_mm)),
        "distance_of_endplates_from_disc_before": {
            "mean_mm": float(gaps.mean()),
            "largest_mm": float(gaps.max()),
        },
        "displacement": asdict(displacement(disc, seated)),
        "volume_change_share": float(volume_mm3(seated) / volume_mm3(disc) - 1),
    }
