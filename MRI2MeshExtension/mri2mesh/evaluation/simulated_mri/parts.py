"""How far each part of a vertebra is from the truth, apart for what the image shows and what was filled in.

Labels of real exams hold bodies only. What a surgeon sees of the arch, the facets and the processes is measured here,
and whether `ReconstructedStructure.support` says where they are guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.regions import BODY_REGIONS, Region, body_of
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import ReconstructedStructure

PARTS: dict[str, tuple[Region, ...]] = {
    "body": BODY_REGIONS,
    "arch": (Region.PEDICLE_LEFT, Region.PEDICLE_RIGHT, Region.LAMINA),
    "facets": (
        Region.FACET_SUPERIOR_LEFT,
        Region.FACET_SUPERIOR_RIGHT,
        Region.FACET_INFERIOR_LEFT,
        Region.FACET_INFERIOR_RIGHT,
    ),
    "processes": (Region.TRANSVERSE_LEFT, Region.TRANSVERSE_RIGHT, Region.SPINOUS),
}
BANDS = {"seen": (0.75, 1.01), "partly seen": (0.25, 0.75), "guessed": (0.0, 0.25)}
"""Support from, and below, which a place counts to each."""

SAME_VERTEBRA_MM = 15.0
"""Farthest that the middle of a body may be from the true one's to be compared with it: half of a body's height."""


@dataclass(frozen=True)
class Distances:
    """Of one vertebra, all mm: for each vertex of surface and truth together, its distance to the other surface.

    part: [N] index into `PARTS`, of the surface's own vertex, or of the nearest one to the truth's. support: [N]
    likewise.
    """

    mm: NDArray[np.float64]
    part: NDArray[np.int64]
    support: NDArray[np.float32]


@dataclass(frozen=True)
class PartFigures:
    """One line of the table. share: of the part's vertices. assd_mm: mean over all vertices of all vertebrae;
    p95_mm: 95th percentile."""

    method: str
    part: str
    band: str
    vertices: int
    share: float
    assd_mm: float
    p95_mm: float


def true_vertebra(mesh: Mesh, truths: Mapping[str, Mesh]) -> str | None:
    """Name of the true vertebra that this one lies on, by the middles of their bodies; None where it lies on none."""
    middle = body_of(mesh).vertices.mean(axis=0)
    off = {
        name: float(np.linalg.norm(body_of(truth).vertices.mean(axis=0) - middle))
        for name, truth in truths.items()
    }
    nearest = min(off, key=lambda name: off[name], default=None)
    return nearest if nearest is not None and off[nearest] <= SAME_VERTEBRA_MM else None


def distances(item: ReconstructedStructure, truth: Mesh) -> Distances:
    """Both ways; truth: closed, in the same millimetres. The surface carries the template's regions."""
    vertices = item.mesh.vertices
    _, nearest = cKDTree(vertices).query(truth.vertices)
    part = np.full(len(Region), -1)
    for number, regions in enumerate(PARTS.values()):
        part[list(regions)] = number
    own = part[np.asarray(item.mesh.regions)]
    return Distances(
        np.concatenate([point_to_surface(vertices, truth), point_to_surface(truth.vertices, item.mesh)]),
        np.concatenate([own, own[nearest]]),
        np.concatenate([item.support, item.support[nearest]]),
    )


def part_figures(method: str, measured: Sequence[Distances]) -> list[PartFigures]:
    """The table of one method; parts and bands without a vertex are left out."""
    if not measured:
        return []
    mm = np.concatenate([one.mm for one in measured])
    part = np.concatenate([one.part for one in measured])
    support = np.concatenate([one.support for one in measured])
    rows = []
    for number, name in enumerate(PARTS):
        for band, (low, high) in BANDS.items():
            chosen = (part == number) & (support >= low) & (support < high)
            if chosen.any():
                count = int(chosen.sum())
                share = count / int((part == number).sum())
                worst = float(np.percentile(mm[chosen], 95))
                rows.append(PartFigures(method, name, band, count, share, float(mm[chosen].mean()), worst))
    return rows


def describe(rows: Iterable[PartFigures]) -> str:
    """The table as lines of text."""
    return "\n".join(
        f"  {row.method:<24} {row.part:<10} {row.band:<12} {100 * row.share:5.1f}% of it"
        f"  ASSD {row.assd_mm:.2f} mm  95% below {row.p95_mm:.1f} mm"
        for row in rows
    )
