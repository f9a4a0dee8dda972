"""The vertebra template fitted to every source: one topology for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import eye
from scipy.sparse.linalg import splu
from tqdm import tqdm

from building.anatomy.registration import Target, affine_fit, bend_to, nonrigid_fit, rigid_search
from building.anatomy.sources import Source
from mri2mesh.anatomy.measures import body_size, local_frame, to_local_frame
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.anatomy.variation import graph_laplacian
from mri2mesh.geometry.checks import self_intersections
from mri2mesh.geometry.connectivity import grow, vertex_adjacency
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections

LEFT_OUT = {
    "P001_L5": "transitional: its wide transverse processes end up in the body's region",
}
"""Sources that do not belong in the family, and why."""

LIMITED = {
    "sub-verse010_L1": 0.4,  # large osteophytes
    "sub-verse013_L1": 0.25,  # compressed
    "sub-verse024_L1": 0.25,  # compressed
}
"""Sources that are kept but take part less often."""

_ASSD_LIMIT_MM = 0.8
_COLUMNS = ("VHM", "mean87", "P001", "P002")
"""Subjects with several levels: sizes per level are taken from these."""


@dataclass(frozen=True)
class Fit:
    """A source in template topology, in its local frame; mean distance both ways to the source, mm."""

    source: Source
    mesh: Mesh
    assd_mm: float


def fit_family(template: Mesh, sources: Iterable[Source]) -> list[Fit]:
    """Every source that can be fitted well; says which could not."""
    fits = []
    for source in tqdm(list(sources), desc="vertebrae"):
        if source.name in LEFT_OUT:
            tqdm.write(f"{source.name}: left out ({LEFT_OUT[source.name]})")
            continue
        fit = fit_source(template, source)
        crossing = self_intersections(fit.mesh)
        kept = crossing == 0 and fit.assd_mm < _ASSD_LIMIT_MM
        size = " x ".join(f"{side:.1f}" for side in body_size(fit.mesh))
        verdict = "" if kept else f", left out ({crossing} self-intersections)"
        tqdm.write(f"{source.name}: {fit.assd_mm:.2f} mm from its source, body {size} mm{verdict}")
        if kept:
            fits.append(fit)
    return fits


def fit_source(template: Mesh, source: Source) -> Fit:
    """Rigid, affine, non-rigid; where the surface folds, again from a template bent to the source's tips."""
    target = Target(source.vertices, source.faces)
    start = affine_fit(
        rigid_search(template.vertices.astype(float), template.faces, target), template.faces, target
    )
    mesh = template.with_vertices(nonrigid_fit(start, template.faces, target))
    if self_intersections(mesh):
        mesh = _fit_by_tips(template.with_vertices(start), source, target)
    frame = np.linalg.inv(local_frame(mesh))
    bone = Mesh(source.vertices, source.faces).transformed(frame)
    mesh = mesh.transformed(frame)
    return Fit(source, mesh, surface_distances(mesh, bone).assd)


def _fit_by_tips(start: Mesh, source: Source, target: Target) -> Mesh:
    """For thoracic vertebrae, whose processes point elsewhere: bend the template to the tips of the processes,
    then register; what folds is tied more and more to its neighbours instead of to the source."""
    rough = start.with_vertices(
        nonrigid_fit(start.vertices.astype(float), start.faces, target, stiffness=(30.0, 10.0))
    )
    frame = np.linalg.inv(local_frame(rough))
    mesh = start.transformed(frame)
    bone = source.vertices @ frame[:3, :3].T + frame[:3, 3]
    pedicles = np.isin(np.asarray(mesh.regions), (Region.PEDICLE_LEFT, Region.PEDICLE_RIGHT))
    behind = float(mesh.vertices[pedicles, 1].mean())
    tips = _tips(mesh.vertices.astype(float), behind)
    goals = bone[_tips(bone, behind)]
    bent = bend_to(_lengthened(mesh, tips[:3], goals[:3]), mesh.faces, tips, goals)
    target = Target(bone, source.faces)
    follow, adjacency = np.ones(len(bent)), vertex_adjacency(mesh.faces, len(bent))
    for _ in range(8):
        fitted = nonrigid_fit(
            bent, mesh.faces, target, (10.0, 4.0, 2.0, 1.0, 0.5), iterations=8, weights=follow
        )
        pairs = self_intersecting_pairs(fitted, mesh.faces)
        if not len(pairs):
            break
        folded = np.zeros(len(bent), bool)
        folded[mesh.faces[np.unique(pairs)].ravel()] = True
        follow[grow(folded, adjacency, 2)] *= 0.2
    fitted_mesh = mesh.with_vertices(fitted)
    return remove_self_intersections(fitted_mesh).transformed(np.linalg.inv(frame))


def _lengthened(mesh: Mesh, tips: NDArray, goals: NDArray) -> NDArray:
    """[V, 3] vertices with the transverse and spinous processes as long as the distance from root to goal asks."""
    vertices, regions = mesh.vertices.astype(float), np.asarray(mesh.regions)
    soften = splu((eye(len(regions)) + 8.0 * graph_laplacian(mesh.faces, len(regions))).tocsc())
    result = vertices.copy()
    processes = (Region.TRANSVERSE_LEFT, Region.TRANSVERSE_RIGHT, Region.SPINOUS)
    for region, tip, goal in zip(processes, tips, goals, strict=True):
        weight = soften.solve((regions == region).astype(float))
        root = np.average(vertices, axis=0, weights=np.clip(0.25 - np.abs(weight - 0.35), 0, None))
        axis = (vertices[tip] - root) / np.linalg.norm(vertices[tip] - root)
        ratio = np.clip(np.linalg.norm(goal - root) / np.linalg.norm(vertices[tip] - root), 0.35, 1.5)
        along = np.clip((vertices - root) @ axis, 0, None)[:, None] * axis
        result += weight[:, None] * (ratio - 1.0) * along
    return result


def _tips(vertices: NDArray, behind: float) -> NDArray:
    """[5] vertices at the tips of the transverse (left, right), spinous and superior articular processes, for a
    vertebra roughly in its local frame; ``behind``: the y at which the arch begins."""
    arch = np.flatnonzero(vertices[:, 1] < behind)
    x, y, z = vertices[arch].T
    left, right = x < -3.0, x > 3.0
    top_left, top_right = (np.where(side, z, -np.inf).argmax() for side in (left, right))
    picks = [x.argmin(), x.argmax(), y.argmin(), top_left, top_right]
    return arch[picks]


def typical_sizes(fits: list[Fit]) -> NDArray:
    """[levels, 3] body width, depth, height of each level, the columns' differences in size evened out.

    Log size = level + subject, by least squares over the subjects with whole columns.
    """
    columns = [fit for fit in fits if fit.source.subject in _COLUMNS]
    design = np.zeros((len(columns) + 1, len(VERTEBRA_LEVELS) + len(_COLUMNS)))
    for row, fit in zip(design, columns, strict=False):
        row[VERTEBRA_LEVELS.index(fit.source.level)] = 1.0
        row[len(VERTEBRA_LEVELS) + _COLUMNS.index(fit.source.subject)] = 1.0
    design[-1, len(VERTEBRA_LEVELS) :] = 1.0  # subjects average out
    sizes = np.log([body_size(to_local_frame(fit.mesh)) for fit in columns])
    effects, *_ = np.linalg.lstsq(design, np.vstack([sizes, np.zeros(3)]), rcond=None)
    return np.exp(effects[: len(VERTEBRA_LEVELS)])
