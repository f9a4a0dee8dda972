"""Gauss-Newton steps with Levenberg's damping, for several candidates at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mri2mesh.device import one_thread
from mri2mesh.engines.xray_fit.fitting.image_term import Linearised
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.prior import Prior
from mri2mesh.engines.xray_fit.fitting.yardstick import Yardstick, of_one
from mri2mesh.errors import InputError

_ENOUGH = 1e-4
"""A step that lowers the cost by a smaller share than this is the last."""
_WORST = 1e6
"""Damping at which nothing helps any more."""


class Term(Protocol):
    """One view's part of the cost. noise: variance of what it measures, where its weights take it for 1."""

    view: int
    noise: float

    def cost(self, at: Parameters, yardstick: Yardstick | None = None) -> Tensor: ...
    def rank_cost(self, at: Parameters) -> Tensor: ...
    def linearise(self, at: Parameters, n_shape: int | None = None) -> tuple[Linearised, Yardstick]: ...


@dataclass(frozen=True)
class Solution:
    """parameters; cost [B]: the negative logarithm of how probable each candidate is, every candidate's residuals in
    the same units, so that candidates can be compared; precision: [B, n_steps, n_steps] of the normal equations there,
    prior included; scatter: [B, n_steps, n_steps] covariance of their right side, the precision if no term had noise.
    """

    parameters: Parameters
    cost: Tensor
    precision: Tensor
    scatter: Tensor


def solve(
    terms: Sequence[Term],
    prior: Prior,
    start: Parameters,
    n_shape: int,
    iterations: int,
    each: Callable[[Parameters, Tensor], None] | None = None,
    *,
    longer: bool = False,
    curvature: bool = True,
) -> Solution:
    """The candidates after at most so many steps; stops earlier when none improves.

    n_shape: how many modes may move. each: called with the candidates and their cost after each step; what it raises
    ends the fit. longer: steps may be lengthened, see `_farthest`: for candidates that are in the right valley.
    curvature: whether precision and scatter are wanted where it ends; else they are those of a step before. A step
    that puts the surface at the source or makes anything not finite is not taken.
    """
    at, free = start, prior.free(n_shape)
    damping = at.position.new_full((len(at),), 1e-3)
    running = torch.ones_like(damping, dtype=torch.bool)
    precision, scatter, slope, cost, yardsticks = _normal_equations(terms, prior, at, n_shape)
    for number in range(iterations):
        inner = precision[:, free][:, :, free]
        diagonal = inner.diagonal(dim1=1, dim2=2).clamp_min(1e-12)
        damped = inner + torch.diag_embed(diagonal * damping[:, None])
        step = torch.zeros_like(slope)
        with one_thread():
            step[:, free] = torch.linalg.solve(damped, slope[:, free])
        trial, value = _farthest(terms, prior, at, step, yardsticks, (1, 2, 4) if longer else (1,))
        better = running & torch.isfinite(value) & (value < cost)
        gained = (cost - value) / cost.clamp_min(1e-12)
        at = trial.where(better, at)
        damping = torch.where(better, (damping / 5).clamp_min(1e-6), damping * 8)
        running = running & torch.where(better, gained > _ENOUGH, damping < _WORST)
        goes_on = bool(running.any()) and number + 1 < iterations
        if bool(better.any()) and (curvature or goes_on):
            precision, scatter, slope, cost, yardsticks = _normal_equations(terms, prior, at, n_shape)
        else:
            cost = torch.where(better, value, cost)
        if each is not None:
            each(at, cost)
        if not bool(running.any()):
            break
    return Solution(at, rank_cost(terms, prior, at), precision, scatter)


def _farthest(
    terms: Sequence[Term],
    prior: Prior,
    at: Parameters,
    step: Tensor,
    yardsticks: Sequence[Yardstick],
    lengths: Sequence[int],
) -> tuple[Parameters, Tensor]:
    """Each candidate after the step times the first length or, where that costs less, times one after it, and its cost
    [B].

    What lies farther off than an edge is wide pulls weakly, for its residuals count as another bone's, and what has
    found its edge holds: single steps are too short, all of them in one direction.
    """
    trial = at.stepped(lengths[0] * step)
    value = _cost(terms, prior, trial, yardsticks)
    for times in lengths[1:]:
        farther = at.stepped(times * step)
        there = _cost(terms, prior, farther, yardsticks)
        less = torch.isfinite(there) & (there < value)
        if not bool(less.any()):
            break
        trial, value = farther.where(less, trial), torch.where(less, there, value)
    return trial, value


def _normal_equations(
    terms: Sequence[Term], prior: Prior, at: Parameters, n_shape: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, list[Yardstick]]:
    """precision and scatter [B, n, n], slope [B, n], cost [B], and what each term was measured by; later modes than
    the first ``n_shape`` are felt by the prior alone."""
    total = prior.precision()
    precision = total.expand(len(at), -1, -1).clone()
    scatter = precision.clone()
    slope = -(prior.deviation(at) @ total)
    cost = prior.cost(at)
    shared = 7 + at.coefficients.shape[1]
    yardsticks = []
    for term in terms:
        part, yardstick = term.linearise(at, n_shape)
        own = torch.arange(6, device=slope.device) + shared + 6 * term.view
        index = torch.cat([torch.arange(7 + n_shape, device=slope.device), own])
        precision[:, index[:, None], index] += part.precision
        scatter[:, index[:, None], index] += term.noise * part.precision
        slope[:, index] += part.slope
        cost = cost + part.cost
        yardsticks.append(yardstick)
    return precision, scatter, slope, cost, yardsticks


def _cost(terms: Sequence[Term], prior: Prior, at: Parameters, yardsticks: Sequence[Yardstick]) -> Tensor:
    """[B]; infinite where the surface cannot be seen."""
    try:
        total = prior.cost(at)
        for term, yardstick in zip(terms, yardsticks, strict=True):
            total = total + term.cost(at, yardstick)
        return total
    except InputError:  # a candidate reaches the source: find out which
        if len(at) == 1:
            return torch.full_like(at.log_scale, torch.inf)
        parts = [
            _cost(terms, prior.of(n), at.take(torch.tensor([n])), of_one(yardsticks, n))
            for n in range(len(at))
        ]
        return torch.cat(parts)


def rank_cost(terms: Sequence[Term], prior: Prior, at: Parameters) -> Tensor:
    """[B] each term by its noise, as candidates in different places are compared."""
    total = prior.cost(at)
    for term in terms:
        total = total + term.rank_cost(at) / term.noise
    return total
