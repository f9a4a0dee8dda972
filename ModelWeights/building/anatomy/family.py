"""The vertebra template fitted to every source: one topology for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from building.anatomy.sources import Source
from mri2mesh.anatomy.measures import body_size, local_frame, to_local_frame
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.engines.segmentation.fitting.priors import prior
from mri2mesh.geometry.checks import self_intersections
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.quality.neighbours import unfolded
from mri2mesh.shape_building.correspondence import onto_surface

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


def fit_family(sources: Iterable[Source]) -> list[Fit]:
    """Every source that can be fitted well; says which could not."""
    fits = []
    for source in tqdm(list(sources), desc="vertebrae"):
        if source.name in LEFT_OUT:
            tqdm.write(f"{source.name}: left out ({LEFT_OUT[source.name]})")
            continue
        fit = fit_source(source)
        crossing = self_intersections(fit.mesh)
        kept = crossing == 0 and fit.assd_mm < _ASSD_LIMIT_MM
        size = " x ".join(f"{side:.1f}" for side in body_size(fit.mesh))
        verdict = "" if kept else f", left out ({crossing} self-intersections)"
        tqdm.write(f"{source.name}: {fit.assd_mm:.2f} mm from its source, body {size} mm{verdict}")
        if kept:
            fits.append(fit)
    return fits


def fit_source(source: Source) -> Fit:
    """As `mri2mesh build-shape-model` brings anyone's surface into correspondence: from the level's shape model, which
    the family as it is gives."""
    bone, model = Mesh(source.vertices.astype(np.float32), source.faces), prior(source.level)
    mesh = unfolded(onto_surface(model, bone, upright=False), model.surface(model.mean))
    frame = np.linalg.inv(local_frame(mesh))
    mesh = mesh.transformed(frame)
    return Fit(source, mesh, surface_distances(mesh, bone.transformed(frame)).assd)


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
