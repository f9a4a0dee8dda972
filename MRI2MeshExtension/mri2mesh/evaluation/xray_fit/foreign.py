"""Pelves of people of another source than the shape model that is fitted: the atlas's on the joint model, and the joint
model's on the atlas.

Both are measured in the joint model's topology, into which the atlas's hips are carried over by points on its surface,
and over the hips alone: the sacra of the two sources end differently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.training.run import LEFT_OUT
from mri2mesh.evaluation.xray_fit.region_films import RegionCase, RegionCases
from mri2mesh.synthesis.films.correspondence import correspondence

HIPS = ("hip_left", "hip_right")
SOURCES = ("atlas", "limb")
"""Whose pelves: the atlas's, fitted with the joint model's pelvis, or the joint model's, fitted with the atlas."""


@dataclass(frozen=True)
class ForeignCase:
    """films: the person, as `RegionCases` makes films of them. fitted: the model of the other source. measured: of the
    hips, in the joint model's topology, without the person. truth: [V, 3] mm RAS of those. carried: from what the
    fitted model's vertices carry [..., C] to what those of ``measured`` do."""

    films: RegionCase
    fitted: ShapeModel
    measured: ShapeModel
    truth: NDArray[np.float64]
    carried: Callable[[NDArray], NDArray[np.float64]]


def foreign_subjects(films: RegionCases, source: str) -> list[str]:
    """Whose pelves come from a source, of those that no network has seen, see `RegionCases.subjects`."""
    shapes = films.shapes
    both = zip(shapes.pelvis_subjects, shapes.pelvis_sources, strict=True)
    return list(dict.fromkeys(name for name, of in both if of == source and name in LEFT_OUT))


def foreign_case(films: RegionCases, subject: str, source: str, seed: int) -> ForeignCase:
    """The same for the same seed."""
    joint, atlas = read_shape_model("pelvis_femur"), read_shape_model("pelvis")
    measured = joint.only(*HIPS)
    if source == "atlas":
        case = films.case("pelvis", subject, seed)
        fitted = replace(joint.only(*HIPS, "sacrum"), name="pelvis")
        rows = np.concatenate([fitted.part_vertices(name) for name in HIPS])

        def carried(values: NDArray) -> NDArray[np.float64]:
            return np.asarray(values[rows], dtype=np.float64)
    else:
        case = films.case("femur_left", subject, seed)
        measured, fitted = measured.without(subject), atlas
        same = {name: correspondence(joint.only(name), atlas.surface(atlas.mean, name)) for name in HIPS}

        def carried(values: NDArray) -> NDArray[np.float64]:
            parts = [same[name].resample(values[atlas.part_vertices(name)]) for name in HIPS]
            return np.concatenate(parts).astype(np.float64)

    truth = np.concatenate([case.region.vertices[joint.part_vertices(name)] for name in HIPS])
    person = replace(case, anatomy="pelvis", model=flexible(fitted), truth=truth.astype(np.float64))
    return ForeignCase(
        person, person.model, flexible(replace(measured, name="pelvis")), person.truth, carried
    )
