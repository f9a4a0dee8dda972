"""Zones of a surface whose rims a finite element mesh keeps: endplates, facets, and planes of cut.

A region label belongs to a vertex, so its border runs somewhere between vertices and in steps. Here every zone is a
fraction between 0 and 1 per vertex, smoothed over neighbours; its rim is where two fractions are equal. That is a line
which does not depend on the triangles that are laid over it later: the same rim at every edge length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.connectivity import neighbour_average
from mri2mesh.geometry.mesh import Mesh

REST = 0
"""Index of the zone that is no zone of its own: walls, arches, processes."""

ZONES: tuple[Region, ...] = (
    Region.SUPERIOR_ENDPLATE,
    Region.INFERIOR_ENDPLATE,
    Region.FACET_SUPERIOR_LEFT,
    Region.FACET_SUPERIOR_RIGHT,
    Region.FACET_INFERIOR_LEFT,
    Region.FACET_INFERIOR_RIGHT,
    Region.ENDPLATE_SUPERIOR,
    Region.ENDPLATE_INFERIOR,
    Region.CUT,
)
"""Zone number i + 1 is ``ZONES[i]``: loads, contacts and ties are put on these."""

_SMOOTHING_ROUNDS = 3


def zone_number(region: Region) -> int:
    """The number of a zone in `zone_fractions`. Raises ValueError for a region that is none."""
    return ZONES.index(region) + 1


def zone_name(number: int) -> str:
    """As sets are named in files, for instance ``"SUPERIOR_ENDPLATE"``."""
    return ZONES[number - 1].name


def zone_fractions(mesh: Mesh) -> NDArray[np.float64]:
    """[V, len(ZONES) + 1] how much of each zone a vertex is; the sum over zones is 1.

    A surface without region labels is all `REST`.
    """
    fractions = np.zeros((len(mesh.vertices), len(ZONES) + 1))
    regions = mesh.regions
    if regions is None:
        fractions[:, REST] = 1.0
        return fractions
    for number, region in enumerate(ZONES, 1):
        fractions[:, number] = np.asarray(regions) == region
    fractions[:, REST] = 1.0 - fractions[:, 1:].sum(axis=1)
    average = neighbour_average(mesh.faces, len(mesh.vertices))
    for _ in range(_SMOOTHING_ROUNDS):
        fractions = 0.5 * (fractions + average @ fractions)
    return fractions
