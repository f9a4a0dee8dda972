"""The solver: exact answers where there is one, and nothing worse than the start."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engines.xray_fit.fitting.lumps import c_arm, shadow, standing
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Linearised
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters, turn_of
from mri2mesh.engines.xray_fit.fitting.prior import Prior, PriorSettings
from mri2mesh.engines.xray_fit.fitting.solver import solve
from mri2mesh.engines.xray_fit.fitting.yardstick import Yardstick

ANTERIOR = torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64)
TRUTH = (0.8, -0.6, 0.5)
WIDE = PriorSettings(depth_mm=100.0, turn_deg=90.0)
SETTINGS = ImageSettings(lattice=1, coarse_mm=40.0, correlation_mm=1.0, noise=1.0)


def off(turn: float, shift: float, n_views: int) -> Parameters:
    """The mean shape, turned by so many radians and shifted by so many mm about and along each axis."""
    at = standing(n_views=n_views)
    step = torch.zeros(1, at.n_steps, dtype=torch.float64)
    step[0, :3], step[0, 3:6] = turn, shift
    return at.stepped(step)


def terms(family, n_views):
    return [
        ImageTerm(shadow(family, standing(TRUTH, n_views), c_arm(angle), view), view, family, SETTINGS, 800.0)
        for view, angle in enumerate((180.0, 120.0)[:n_views])
    ]


@pytest.mark.parametrize(("n_views", "depth_mm", "coefficient"), [(1, 1.0, 0.1), (2, 0.05, 0.02)])
def test_a_member_of_the_family_is_found_exactly(family, n_views, depth_mm, coefficient):
    start = off(0.06, 4.0, n_views)
    found = solve(terms(family, n_views), Prior(start, ANTERIOR, WIDE), start, 3, 25).parameters
    turn, place = turn_of(found.rotation)[0], found.position[0]
    assert float(turn.norm()) < 0.01
    assert float(place[[0, 2]].abs().max()) < 0.1
    assert abs(float(place[1])) < depth_mm
    torch.testing.assert_close(
        found.coefficients[0], torch.tensor(TRUTH, dtype=torch.float64), rtol=0, atol=coefficient
    )


def test_a_second_view_given_five_degrees_wrong_is_turned_back(family):
    start = standing(n_views=2)
    first, second = (shadow(family, start, c_arm(angle)) for angle in (180.0, 125.0))
    given = [first, replace(second, camera=c_arm(120.0))]
    seen = [ImageTerm(view, n, family, SETTINGS, 800.0) for n, view in enumerate(given)]
    prior = Prior(start, ANTERIOR, PriorSettings(turn_deg=90.0, view_turn_deg=5.0))
    found = solve(seen, prior, start, 0, 15).parameters
    between = turn_of(found.view_turn[0, 1] @ found.view_turn[0, 0].mT).rad2deg()
    torch.testing.assert_close(between, torch.tensor([0.0, 0.0, -5.0]).double(), rtol=0, atol=0.5)


def test_the_cost_never_rises_and_each_step_is_reported(family):
    start, costs = off(0.06, 4.0, 1), []
    solution = solve(
        terms(family, 1),
        Prior(start, ANTERIOR, WIDE),
        start,
        3,
        6,
        lambda at, cost: costs.append(float(cost[0])),
    )
    assert 1 <= len(costs) <= 6
    assert solution.parameters is not start and costs[-1] == pytest.approx(float(solution.cost[0]))


def test_a_fit_whose_curvature_nobody_asks_for_ends_alike_and_linearises_once_less(family, monkeypatch):
    start, linearised = off(0.03, 2.0, 1), []
    plain = ImageTerm.linearise
    monkeypatch.setattr(
        ImageTerm, "linearise", lambda self, *given: linearised.append(0) or plain(self, *given)
    )
    ends, counts = [], []
    for wanted in (True, False):
        linearised.clear()
        ends.append(solve(terms(family, 1), Prior(start, ANTERIOR, WIDE), start, 3, 4, curvature=wanted))
        counts.append(len(linearised))
    torch.testing.assert_close(ends[0].parameters.position, ends[1].parameters.position)
    torch.testing.assert_close(ends[0].cost, ends[1].cost)
    assert counts[1] == counts[0] - 1


def test_only_so_many_modes_move_as_may(family):
    start = off(0.03, 2.0, 1)
    found = solve(terms(family, 1), Prior(start, ANTERIOR, WIDE), start, 1, 5).parameters
    assert found.coefficients[0, 0] != 0 and (found.coefficients[0, 1:] == 0).all()
    assert (found.log_scale == 0).all() and (found.view_shift == 0).all()


def test_without_anything_seen_the_answer_is_the_prior(family):
    start = standing()
    away = start.stepped(torch.full((1, start.n_steps), 0.1, dtype=torch.float64))
    found = solve([], Prior(start, ANTERIOR, WIDE), away, 3, 20)
    assert float(found.cost[0]) < 1e-3 * float(Prior(start, ANTERIOR, WIDE).cost(away)[0])
    torch.testing.assert_close(found.parameters.coefficients, start.coefficients, rtol=0, atol=1e-2)


def test_what_a_watcher_raises_ends_the_fit(family):
    def stop(at, cost):
        raise KeyboardInterrupt

    start = off(0.03, 2.0, 1)
    with pytest.raises(KeyboardInterrupt):
        solve(terms(family, 1), Prior(start, ANTERIOR, WIDE), start, 3, 5, stop)


class Steep:
    """Holds the position at a place, and takes itself to be four times as steep as it is: its steps are a quarter of
    the way, as those of images are while most of a bone lies off its edges."""

    view, noise = 0, 1.0

    def __init__(self, place: float) -> None:
        self.place = place

    def cost(self, at, yardstick=None):
        return 0.5 * (at.position - self.place).square().sum(1)

    def rank_cost(self, at):
        return self.cost(at)

    def linearise(self, at, n_shape=None):
        precision = torch.zeros(len(at), 7 + n_shape + 6, 7 + n_shape + 6, dtype=torch.float64)
        precision[:, 3:6, 3:6] = 4 * torch.eye(3)
        slope = torch.zeros(len(at), 7 + n_shape + 6, dtype=torch.float64)
        slope[:, 3:6] = self.place - at.position
        return Linearised(self.cost(at), precision, slope), Yardstick(torch.ones(len(at)))


@pytest.mark.parametrize("place", [-40.0, 25.0])
def test_steps_that_are_too_short_are_made_longer_where_that_costs_less(place):
    start = standing()
    free = PriorSettings(depth_mm=1e5, across_mm=1e5)
    steep, prior, there = [Steep(place)], Prior(start, ANTERIOR, free), torch.full((1, 3), place).double()
    found = solve(steep, prior, start, 0, 1, longer=True).parameters
    torch.testing.assert_close(found.position, there, rtol=0.01, atol=0)
    found = solve(steep, prior, start, 0, 1).parameters
    torch.testing.assert_close(found.position, there / 4, rtol=0.01, atol=0)
