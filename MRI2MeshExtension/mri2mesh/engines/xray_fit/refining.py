"""A bone that another engine has placed, refined until its shadow, among those of other bones, explains the films."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.case import observation_of
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FINE_MM, Fit, FitSettings, depth_of, fit
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.levels import Level
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import posed
from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser
from mri2mesh.engines.xray_fit.fitting.uncertainty import UNKNOWN_RESIDUAL_MM, uncertainty_of
from mri2mesh.geometry.transforms import Matrix

__all__ = ["Observation", "Refined", "agreement", "observation_of", "refine", "shows_gradients"]
NEAR = Level(256, 10, 1000, 1, 10.0, spongy=0.3, local=True, gradients=True)
"""Gradients alone, at once and finely: the bone is about where it is seen."""
ACROSS_MM, TURN_DEG = 4.0, 6.0
"""How far off it may be placed, across the beam of one view, and how far it may be turned."""


@dataclass(frozen=True)
class Refined:
    """vertices: [V, 3] RAS mm. matrix: 4x4, rigid. coefficients: [M]. before, after: per film how well it agrees with
    the bone and its neighbours (0 to 1), as it was placed and now. along_mm, across_mm: [V] standard deviations along
    the beam and across it."""

    vertices: NDArray[np.float64]
    matrix: Matrix
    coefficients: NDArray[np.float64]
    before: tuple[float, ...]
    after: tuple[float, ...]
    along_mm: NDArray[np.float64]
    across_mm: NDArray[np.float64]


def refine(
    views: Sequence[Observation],
    model: ShapeModel,
    pose: Matrix,
    coefficients: NDArray,
    beside: Sequence[tuple[NDArray, NDArray[np.int64]]],
    depth_sd_mm: float,
    report_progress: Callable[[float], None] | None = None,
) -> Refined | None:
    """The model's surface from a rigid pose [4, 4] and coefficients [M] on. beside: vertices [V, 3] RAS mm and faces of
    the other bones in the films. depth_sd_mm: how far it may be off along the beam. report_progress: called with the
    fraction done.

    views: see `observation_of`. None where the fit does not end.
    """
    family = SurfaceFamily(model)
    start = posed(family, pose, coefficients, len(views))
    prior = PriorSettings(depth_mm=depth_sd_mm, across_mm=ACROSS_MM, turn_deg=TURN_DEG)
    settings = FitSettings(prior=prior, levels=(NEAR,))
    others = _together(beside)

    def each(_at: Parameters, fraction: float) -> None:
        if report_progress is not None:
            report_progress(fraction)

    try:
        before = _agreement(views, family, start, others)
        found = fit(views, family, start, settings, watch=each, expected=start, beside=others)
    except torch.linalg.LinAlgError:
        return None
    vertices = found.parameters.by_first_view(family)[0].cpu().numpy()
    if not np.isfinite(vertices).all() or not math.isfinite(found.cost):
        return None
    return _refined(found, family, views, vertices, before)


def agreement(
    views: Sequence[Observation],
    model: ShapeModel,
    pose: Matrix,
    coefficients: NDArray,
    beside: Sequence[tuple[NDArray, NDArray[np.int64]]],
) -> tuple[float, ...]:
    """Per view how well the image agrees with a bone and its neighbours where they are, 0 to 1; as of `refine`."""
    family = SurfaceFamily(model)
    return _agreement(views, family, posed(family, pose, coefficients, len(views)), _together(beside))


def shows_gradients(view: Observation) -> bool:
    """Whether its pixels are fine enough for `agreement` to mean something."""
    return bool(max(view.camera.pixel_spacing_mm) <= FINE_MM)


def _refined(
    found: Fit,
    family: SurfaceFamily,
    views: Sequence[Observation],
    vertices: NDArray[np.float64],
    before: tuple[float, ...],
) -> Refined:
    spread = uncertainty_of(found, family, [seen.camera for seen in views], UNKNOWN_RESIDUAL_MM)
    matrix = np.eye(4)
    matrix[:3, :3] = found.parameters.rotation[0].cpu().numpy()
    centre = family.centre.cpu().numpy()
    matrix[:3, 3] = found.parameters.position[0].cpu().numpy() - matrix[:3, :3] @ centre
    return Refined(
        vertices,
        matrix,
        found.parameters.coefficients[0].cpu().numpy(),
        before,
        found.agreement,
        spread.along_beam.astype(np.float64),
        spread.across.astype(np.float64),
    )


def _agreement(
    views: Sequence[Observation], family: SurfaceFamily, at: Parameters, others: Neighbours | None
) -> tuple[float, ...]:
    settings = ImageSettings(coarse_mm=NEAR.coarse_mm, spongy=NEAR.spongy, gradients=True, even=True)
    small = [coarser(seen, NEAR.pixels) for seen in views]
    terms = [
        ImageTerm(
            seen, number, family, settings, depth_of(seen, at),
            None if others is None else others.layers(seen.camera),
        )
        for number, seen in enumerate(small)
    ]  # fmt: skip
    return tuple(float(term.agreement_near(at)[0]) for term in terms)


def _together(surfaces: Sequence[tuple[NDArray, NDArray[np.int64]]]) -> Neighbours | None:
    if not surfaces:
        return None
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in surfaces)])
    faces = [own + start for (_, own), start in zip(surfaces, starts, strict=False)]
    return Neighbours(np.concatenate([vertices for vertices, _ in surfaces]), np.concatenate(faces))
