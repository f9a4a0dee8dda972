"""Cases to measure fits on: a subject that the model has not learned from, its radiographs, and where a fit starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.evaluation.xray_fit.conditions import Condition, Field, with_geometry_error
from mri2mesh.geometry.transforms import Matrix, apply, compose, rigid_fit, translation
from mri2mesh.synthesis.films.single_bone import radiograph

STANCE_DEG, STANCE_MM = 4.0, 8.0
"""Standard deviations, per axis, of how patients lie in front of the beam."""
START_DEG, START_MM = 15.0, 30.0
"""The farthest that a start is from the truth; the nearest is half of it."""


@dataclass(frozen=True)
class HeldOut:
    """A subject and the flexible model (`anatomy.shape_models.local_modes`) of everyone else.

    truth: [V, 3] mm in patient RAS, in the model's correspondence. start: the pose, of the model's own frame, that a
    fit begins from.
    """

    subject: str
    model: ShapeModel
    truth: NDArray[np.float64]
    start: Matrix


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
    pose = rigid_fit(rest.mean, truth)
    turn = Rotation.from_rotvec(_direction(rng) * START_DEG * rng.uniform(0.5, 1.0), degrees=True)
    shift = _direction(rng) * START_MM * rng.uniform(0.5, 1.0)
    centre = apply(pose, rest.mean.mean(0))
    disturbance = translation(centre + shift) @ compose(turn.as_matrix()) @ translation(-centre)
    return HeldOut(model.subjects[row], rest, truth, disturbance @ pose)


def observe(case: HeldOut, field: Field, condition: Condition, seed: Sequence[int]) -> list[Observation]:
    """Radiographs of the truth, with the geometry that the fit is given."""
    rng = np.random.default_rng(seed)
    bones = [case.model.surface(case.truth, part) for part in case.model.part_names]
    views = []
    for n, angle in enumerate(condition.primary_angles_deg):
        camera = field.camera(angle, condition.truncated)
        image = radiograph(bones, camera, rng)
        error = Rotation.from_rotvec(_direction(rng) * condition.turn_deg * (n > 0), degrees=True)
        given = with_geometry_error(camera, error, condition.distance_share)
        views.append(Observation(given, image, np.ones(image.shape, bool)))
    return views


def first_parameters(case: HeldOut, n_views: int, device: torch.device | str = "cpu") -> Parameters:
    """The mean shape at the start's pose."""
    rotation = torch.from_numpy(case.start[:3, :3])[None].to(device)
    centre = torch.from_numpy(apply(case.start, case.model.mean.mean(0)))[None].to(device)
    return Parameters.at(rotation, centre, len(case.model.modes), n_views)


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector))
