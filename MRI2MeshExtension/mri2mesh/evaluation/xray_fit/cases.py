"""Bones alone in the picture: a subject that the model has not learned from, and its radiographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.evaluation.xray_fit.conditions import Condition, Field, true_camera
from mri2mesh.imaging.radiographs.masks.mask import with_masks
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.synthesis.films.single_bone import radiograph

STANCE_DEG, STANCE_MM = 4.0, 8.0
"""Standard deviations, per axis, of how patients lie in front of the beam."""


@dataclass(frozen=True)
class HeldOut:
    """A subject and the flexible model (`anatomy.shape_models.local_modes`) of everyone else.

    truth: [V, 3] mm in patient RAS, in the model's correspondence.
    """

    subject: str
    model: ShapeModel
    truth: NDArray[np.float64]


def one_row_each(model: ShapeModel, n: int | None = None) -> list[int]:
    """Rows of n different subjects, spread evenly over all; the first of a subject's rows that is no mirror image.

    A model that groups its shapes has shapes of other bones in it: only its own group's are whole subjects.
    """
    own = [row for row in range(len(model.subjects)) if not model.groups or model.groups[row] == model.name]
    own.sort(key=lambda row: (bool(model.mirrored[row]), row))
    rows = sorted({model.subjects[row]: row for row in reversed(own)}.values())
    if n is None or n >= len(rows):
        return rows
    return [rows[k] for k in np.linspace(0, len(rows) - 1, n).round().astype(int)]


def shape_of(model: ShapeModel, row: int) -> NDArray[np.float64]:
    """[V, 3] the shape that a row was learned from, without the widening that small groups are given."""
    score = model.scores[row]
    if model.groups:
        n = len({s for s, g in zip(model.subjects, model.groups, strict=True) if g == model.groups[row]})
        score = score * np.sqrt((n - 1) / n)
    return model.vertices(score)


def held_out(model: ShapeModel, row: int, seed: int) -> HeldOut:
    """The subject of a row, standing about the isocentre; the same for the same seed, whatever the condition."""
    rng = np.random.default_rng([seed, row])
    rest = flexible(model.without(row))
    shape = shape_of(model, row)
    stance = Rotation.from_rotvec(rng.normal(size=3) * STANCE_DEG, degrees=True).as_matrix()
    truth = (shape - shape.mean(0)) @ stance.T + rng.normal(size=3) * STANCE_MM
    return HeldOut(model.subjects[row], rest, truth)


def observe(case: HeldOut, field: Field, condition: Condition, seed: Sequence[int]) -> list[Radiograph]:
    """Radiographs of the truth, with the geometry that the engine is given, masks as a reader finds them."""
    rng = np.random.default_rng(seed)
    bones = [case.model.surface(case.truth, part) for part in case.model.part_names]
    views = []
    for n, angle in enumerate(condition.primary_angles_deg):
        given = field.geometry(angle, condition.truncated)
        error = Rotation.from_rotvec(_direction(rng) * condition.turn_deg * (n > 0), degrees=True)
        camera = true_camera(given.camera(), error, condition.distance_share)
        image = radiograph(bones, camera, rng)
        views.append(with_masks(Radiograph(image, given, "logarithmic")))
    return views


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector))
