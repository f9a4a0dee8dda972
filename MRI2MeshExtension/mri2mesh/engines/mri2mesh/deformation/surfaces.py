"""The surfaces of a spine that was found: templates deformed level by level, those deep in a neighbour once more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import disc_name
from mri2mesh.engines.mri2mesh.deformation.arches import whole_arch
from mri2mesh.engines.mri2mesh.deformation.models import Models
from mri2mesh.engines.mri2mesh.deformation.overlaps import (
    DEEP_MM,
    Overlap,
    evened_frames,
    overlap_depths,
)
from mri2mesh.engines.mri2mesh.deformation.predict import PredictedSurface, predict_surfaces
from mri2mesh.engines.mri2mesh.localisation.levels import NamedSpine
from mri2mesh.engines.mri2mesh.localisation.spine import SpineFound
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume

Found = dict[str, tuple[Mesh, NDArray[np.float32]]]
"""Mesh and spread per structure name."""


def find_surfaces(
    volume: Volume,
    spine: SpineFound,
    named: NamedSpine,
    models: Models,
    report_progress: Callable[[float], None],
) -> tuple[Found, list[Overlap]]:
    """Surfaces from head to foot, and how deep each body stands in the next; what was found twice is left out."""
    kept = [(name, frame) for name, frame in zip(named.names, spine.frames, strict=True) if name is not None]
    frames = [frame for _, frame in kept]
    predicted = predict_surfaces(volume, spine.evidence, frames, "level", models, report_progress)
    predicted, depths = _parted(volume, spine, frames, predicted, models)
    overlaps = [Overlap(kept[n + 1][0], kept[n][0], depth) for n, depth in enumerate(depths)]
    left_out = {overlap.upper for overlap in overlaps if overlap.same_place}
    templates = models.templates
    found: Found = {}
    for n in reversed(range(len(kept))):
        name, parts = kept[n][0], predicted[n]
        if name in left_out:
            continue
        bone, spread = _mesh(templates["vertebra"], parts["vertebra"])
        found[name] = whole_arch(bone, templates["vertebra"]), spread
        found[disc_name(name)] = _mesh(templates["disc"], parts["disc"])
    if spine.sacrum is not None and named.s1:
        (parts,) = predict_surfaces(volume, spine.evidence, [spine.sacrum], "sacrum", models)
        found["S1"] = _mesh(templates["sacrum"], parts["sacrum"])
    return found, overlaps


def _parted(
    volume: Volume,
    spine: SpineFound,
    frames: list[NDArray[np.float64]],
    predicted: list[dict[str, PredictedSurface]],
    models: Models,
) -> tuple[list[dict[str, PredictedSurface]], list[float]]:
    """The surfaces, those deep in a neighbour looked for once more, and the depths of the overlaps that are left.

    What was found again is taken where it makes the overlaps of the spine shallower in sum.
    """
    template = models.templates["vertebra"]

    def depths(surfaces: list[dict[str, PredictedSurface]]) -> list[float]:
        return overlap_depths([template.with_vertices(parts["vertebra"].vertices) for parts in surfaces])

    before = depths(predicted)
    deep = {n + side for n, depth in enumerate(before) if depth > DEEP_MM for side in (0, 1)}
    if not deep:
        return predicted, before
    again = evened_frames(frames, deep)
    anew = predict_surfaces(volume, spine.evidence, list(again.values()), "level", models)
    changed = list(predicted)
    for n, parts in zip(again, anew, strict=True):
        changed[n] = parts
    after = depths(changed)
    return (changed, after) if sum(after) < sum(before) else (predicted, before)


def _mesh(template: Mesh, surface: PredictedSurface) -> tuple[Mesh, NDArray[np.float32]]:
    return template.with_vertices(surface.vertices), surface.spread_mm
