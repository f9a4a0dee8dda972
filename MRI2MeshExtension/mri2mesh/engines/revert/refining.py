"""The X-ray fit from where the networks see the vertebrae, each among its neighbours, in one film or in two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.completion.complete import Completion
from mri2mesh.engines.revert.depth import Found
from mri2mesh.engines.xray_fit.refining import (
    Observation,
    Refined,
    agreement,
    refine,
    shows_gradients,
)
from mri2mesh.geometry.transforms import Matrix

BEYOND_MM = 12.0
"""A vertebra that the fit moves farther than this is left as it was seen: it went to another edge."""


@dataclass(frozen=True)
class Refinement:
    """name: of the vertebra. moved_mm: root mean square over its vertices. before, after: agreement with each film.
    kept: whether the refined surface is the result's; otherwise the one that was seen stays."""

    name: str
    moved_mm: float
    before: tuple[float, ...]
    after: tuple[float, ...]
    kept: bool

    @property
    def sentence(self) -> str:
        agreement = ", ".join(
            f"{one:.2f} to {other:.2f}" for one, other in zip(self.before, self.after, strict=True)
        )
        if self.kept:
            return (
                f"{self.name} was moved by {self.moved_mm:.1f} mm by the X-ray fit, agreement with the film from "
                f"{agreement}"
            )
        return (
            f"{self.name} is left as the network sees it: the X-ray fit moved it by {self.moved_mm:.1f} mm, agreement "
            f"with the film from {agreement}"
        )


def refine_all(
    views: Sequence[Observation],
    found: Found,
    models: dict[str, ShapeModel],
    depth_sd_mm: float,
    report_progress: Callable[[float], None],
) -> tuple[Found, list[Refinement]]:
    """Every vertebra among the others, which stand where they were seen. depth_sd_mm: how far each may move along the
    beam. report_progress: called with the fraction done."""
    result, notes = dict(found), list[Refinement]()
    for number, (name, (one, end)) in enumerate(found.items()):

        def step(fraction: float, number: int = number) -> None:
            report_progress((number + fraction) / len(found))

        beside = [(other.vertices, models[key].faces) for key, (_, other) in found.items() if key != name]
        fitted = refine(views, models[name], _rigid(end.matrix), end.coefficients, beside, depth_sd_mm, step)
        if fitted is None:
            continue
        moved = float(np.sqrt(((fitted.vertices - end.vertices) ** 2).sum(axis=1).mean()))
        kept = moved <= BEYOND_MM and sum(fitted.after) > sum(fitted.before)
        notes.append(Refinement(name, moved, fitted.before, fitted.after, kept))
        if kept:
            result[name] = (one, _as_completion(end, fitted))
    return result, notes


def agreement_in(view: Observation, name: str, found: Found, models: dict[str, ShapeModel]) -> float | None:
    """How well a film agrees with one vertebra among the others; None where its pixels are too coarse to say."""
    if not shows_gradients(view):
        return None
    end = found[name][1]
    beside = [(other.vertices, models[key].faces) for key, (_, other) in found.items() if key != name]
    return agreement([view], models[name], _rigid(end.matrix), end.coefficients, beside)[0]


def _as_completion(end: Completion, fitted: Refined) -> Completion:
    spread: NDArray[np.float64] = np.sqrt((fitted.along_mm**2 + 2 * fitted.across_mm**2) / 3)
    return replace(
        end,
        vertices=fitted.vertices,
        matrix=fitted.matrix,
        coefficients=fitted.coefficients,
        uncertainty_mm=spread,
    )


def _rigid(matrix: Matrix) -> Matrix:
    """A similarity without its scale."""
    result = matrix.copy()
    result[:3, :3] /= np.cbrt(np.linalg.det(matrix[:3, :3]))
    return result
