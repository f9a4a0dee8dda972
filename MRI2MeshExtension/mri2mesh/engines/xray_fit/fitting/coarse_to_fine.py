"""A whole fit: several starts at low resolution, the best of them at higher ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from mri2mesh.device import one_thread
from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.levels import Level, levels_for
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters, turn_of
from mri2mesh.engines.xray_fit.fitting.poses import (
    SAME_MM,
    distances,
    distinct,
    in_front,
    reflected,
    seen_from_aside,
)
from mri2mesh.engines.xray_fit.fitting.prior import Prior, PriorSettings
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser
from mri2mesh.engines.xray_fit.fitting.solver import Solution, Term, rank_cost, solve

FAR = 2.0
"""Standard deviations of the expected orientation: a reflection that turns a bone farther is not looked at."""

FINE_MM = 2.0
"""Pixels at the detector that still show the rim of a bone, which is as wide as its cortex."""

VALLEY = 0.1
"""Fraction of the cost that the curvature at the best candidate predicts for another's place: one that costs more lies
in the best one's valley and had only not come to its end."""

Watch = Callable[[Parameters, float], None]
"""Called with the best candidate and the fraction done after each step; what it raises ends the fit."""


@dataclass(frozen=True)
class FitSettings:
    """What a fit goes by. levels: by default those of `levels_for` its views.

    Gradients, where they are allowed and pixels are fine enough to show them, are compared as soon as landmarks or
    outlines hold the bone: other bones beside it, skin and air change them in fewer places than they change the values.
    Without anything that holds it, values lead home from farther: gradients ended in another valley with 2 of 6 femora
    seen in two views.
    """

    image: ImageSettings = field(default_factory=lambda: ImageSettings(gradients=True))
    prior: PriorSettings = field(default_factory=PriorSettings)
    levels: tuple[Level, ...] | None = None

    def compares_gradients(
        self, views: Sequence[Observation], more: Sequence[Term], level: Level | None = None
    ) -> bool:
        """Whether a fit to these views with these further terms does, at a level."""
        fine = all(max(seen.camera.pixel_spacing_mm) <= FINE_MM for seen in views)
        return self.image.gradients and fine and (bool(more) or (level is not None and level.gradients))


@dataclass(frozen=True)
class Rivals:
    """Candidates [K] that a fit gave up last, each in another valley than the best, and by how much more they cost [K]:
    the logarithm of how much less probable they are."""

    parameters: Parameters
    excess: Tensor


@dataclass(frozen=True)
class Fit:
    """The best candidate (a batch of one), its cost, precision and scatter [n_steps, n_steps] as `solver.Solution` has
    them, which steps were free [n_steps] and, per view, how well the image agrees with it (0 to 1) and what share of
    its shadow the image does not show there, see `parts`. rivals: None where there never was more than one
    candidate."""

    parameters: Parameters
    cost: float
    precision: Tensor
    scatter: Tensor
    free: Tensor
    agreement: tuple[float, ...]
    not_seen: tuple[float, ...]
    rivals: Rivals | None = None


def fit(
    views: Sequence[Observation],
    family: SurfaceFamily,
    start: Parameters,
    settings: FitSettings | None = None,
    more: Sequence[Term] = (),
    watch: Watch | None = None,
    expected: Parameters | None = None,
    beside: Neighbours | None = None,
    held: Sequence[Term] = (),
) -> Fit:
    """Fit a family to views from one or several starts. more: further terms, as landmarks.

    expected: a batch of one, what the prior is centred on; without it each start has its own prior around it.
    beside: other bones in the pictures. held: further terms that say nothing of where in the images the bone is.
    """
    settings = settings or FitSettings()
    beam = mean_beam(views).to(start.position)
    expected = start if expected is None else expected.take(torch.zeros(len(start), dtype=torch.long))
    levels = settings.levels or levels_for(views)
    steps = sum(level.iterations for level in levels)
    done = 0
    at, rivals = start, None
    for level in levels:
        gradients = settings.compares_gradients(views, more, level)
        image = replace(
            settings.image,
            coarse_mm=level.coarse_mm,
            spongy=level.spongy,
            gradients=gradients,
            even=settings.image.even or gradients,
        )
        drawn = family.lighter(level.faces) if level.faces else family
        # measured for values; what holds a bone while gradients are compared keeps it from being bent
        image = image.tempered() if level.tempered and not image.gradients else image
        small = [coarser(seen, level.pixels) for seen in views]
        terms = [
            ImageTerm(
                seen,
                n,
                drawn,
                image,
                depth_of(seen, at),
                None if beside is None else beside.layers(seen.camera),
            )
            for n, seen in enumerate(small)
        ]
        reached = [done]

        def each(best: Parameters, cost: Tensor, reached: list[int] = reached) -> None:
            reached[0] += 1
            if watch is not None:
                watch(best.take(cost.argmin()[None]), min(1.0, reached[0] / steps))

        if level.reflect and not seen_from_aside(views):
            at, expected = _with_reflections(at, expected, family, views, settings.prior)
        n_shape = family.n_modes if level.local else min(level.modes, family.n_own)
        prior = Prior(
            expected, beam, settings.prior if level is levels[-1] else settings.prior.with_views_fixed()
        )
        if beside is not None and level is not levels[0]:
            at, expected = _with_better(start, at, expected, [*terms, *more, *held], prior)
            prior = prior.around(expected)
        solution = solve(
            [*terms, *more, *held],
            prior,
            at,
            n_shape,
            level.iterations,
            each,
            longer=beside is not None,
            curvature=level is levels[-1],
        )
        done += level.iterations
        ranked = distinct(solution.parameters, solution.cost, family)
        if len(at) > 1:
            others, cost = ranked[1:], solution.cost
            rivals = Rivals(solution.parameters.take(others), cost[others] - cost[ranked[0]])
        chosen = ranked[: level.keep]
        at, expected = solution.parameters.take(chosen), expected.take(chosen)
        last = Solution(at, solution.cost[chosen], solution.precision[chosen], solution.scatter[chosen])
    best = last.parameters.take(torch.tensor([0], device=at.position.device))
    agreement = tuple(float(term.agreement_near(best)[0]) for term in terms)
    found = Fit(
        best,
        float(last.cost[0]),
        last.precision[0],
        last.scatter[0],
        prior.free(n_shape),
        agreement,
        tuple(term.not_seen(best) for term in terms),
        rivals,
    )
    return found if rivals is None else replace(found, rivals=_elsewhere(rivals, found))


def _with_better(
    starts: Parameters, at: Parameters, expected: Parameters, terms: Sequence[Term], prior: Prior
) -> tuple[Parameters, Parameters]:
    """The candidates, and the starts that explain the images better at this level: no fit may end with less."""
    cost = rank_cost(
        terms,
        prior.around(expected.take(torch.zeros(len(at) + len(starts), dtype=torch.long))),
        Parameters.joined([at, starts]),
    )
    better = torch.nonzero(cost[len(at) :] < cost[: len(at)].amin())[:, 0]
    one = torch.zeros(len(better), dtype=torch.long)
    return Parameters.joined([at, starts.take(better)]), Parameters.joined([expected, expected.take(one)])


def _elsewhere(rivals: Rivals, found: Fit) -> Rivals:
    """The rivals that the curvature at the best candidate, and how far it scatters, do not account for."""
    free = torch.nonzero(found.free)[:, 0]
    precision, scatter = (matrix[free[:, None], free] for matrix in (found.precision, found.scatter))
    pull = found.parameters.step_to(rivals.parameters)[:, free] @ precision
    with one_thread():
        solved = torch.linalg.solve(scatter, pull.T)
    uphill = 0.5 * (pull * solved.T).sum(1)
    use = torch.nonzero(rivals.excess < VALLEY * uphill)[:, 0]
    return Rivals(rivals.parameters.take(use), rivals.excess[use])


def _with_reflections(
    at: Parameters,
    expected: Parameters,
    family: SurfaceFamily,
    views: Sequence[Observation],
    prior: PriorSettings,
) -> tuple[Parameters, Parameters]:
    """Candidates and those of their reflections that are poses of their own, not too far from what is expected."""
    other = reflected(at, family, views)
    turn_deg = turn_of(other.rotation @ expected.rotation.mT).norm(dim=-1).rad2deg()
    apart = distances(other, at, family).amin(1) > SAME_MM
    use = torch.nonzero(apart & (turn_deg < FAR * prior.turn_deg) & in_front(other, family, views))[:, 0]
    return (
        Parameters.joined([at, other.take(use)]),
        Parameters.joined([expected, expected.take(use)]),
    )


def mean_beam(views: Sequence[Observation]) -> Tensor:
    """[3] unit vector: the mean direction from source to detector."""
    beams = torch.stack([torch.from_numpy(seen.camera.axes_ras[2]) for seen in views]).mean(0)
    return beams / beams.norm().clamp_min(1e-9)


def depth_of(seen: Observation, at: Parameters) -> float:
    """About how far from the source the surface is, mm."""
    offset = at.position[0].cpu().numpy() - seen.camera.source_ras_mm
    return max(float(offset @ seen.camera.axes_ras[2]), 1.0)
