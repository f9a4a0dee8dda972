"""Several structures in one assembly: bones as they are, and discs seated between the two that they belong to."""

from __future__ import annotations

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.export.exporting.sources import NamedMesh
from mri2mesh.export.finite_elements.assembly import Assembly, Member
from mri2mesh.export.finite_elements.interface import seat_disc
from mri2mesh.export.finite_elements.surfaces import ReadySurface


def seated_discs(items: list[NamedMesh]) -> dict[str, tuple[str, str]]:
    """Disc -> the structures above and below it, for every disc.

    Raises InputError for a disc without both of its neighbours.
    """
    names = {item.name for item in items}
    found = {}
    for item in items:
        if item.kind != "disc":
            continue
        upper, lower = item.name.split("-")
        missing = [name for name in (upper, lower) if name not in names]
        if missing:
            raise InputError(
                f"{item.name} cannot be joined without {' and '.join(missing)}: name them in --structures, "
                "or leave the disc out"
            )
        found[item.name] = (upper, lower)
    return found


def join(items: list[NamedMesh], ready: dict[str, ReadySurface], edge_length_mm: float) -> Assembly:
    """One assembly; ready gets the surfaces of the discs, which are made here.

    Raises InputError as `seat_disc` and `seated_discs` do.
    """
    discs = seated_discs(items)
    points = np.zeros((0, 3))
    members: dict[str, Member] = {}
    for item in items:
        if item.name not in discs:
            surface = ready[item.name]
            triangles = surface.mesh.faces + len(points)
            points = np.concatenate([points, surface.mesh.vertices.astype(np.float64)])
            members[item.name] = Member(item.name, item.kind, triangles, surface.zones, surface.mesh)
    for item in items:
        if item.name in discs:
            upper, lower = (members[name] for name in discs[item.name])
            new, triangles, surface = seat_disc(
                item.name,
                item.mesh,
                points,
                (upper.name, upper.triangles, upper.zones),
                (lower.name, lower.triangles, lower.zones),
                edge_length_mm,
            )
            points = np.concatenate([points, new])
            ready[item.name] = surface
            members[item.name] = Member(item.name, item.kind, triangles, surface.zones, surface.mesh)
    return Assembly(points, [members[item.name] for item in items])
