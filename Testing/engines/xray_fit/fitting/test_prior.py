"""The prior: a Gaussian about the start, and which steps it leaves free."""

from __future__ import annotations

import math

import pytest
import torch

from engines.xray_fit.fitting.lumps import somewhere, standing, unit_steps
from mri2mesh.engines.xray_fit.fitting.prior import Prior, PriorSettings
from mri2mesh.errors import InputError

BEAM = torch.tensor([0.6, -0.8, 0.0], dtype=torch.float64)
EVERYTHING = PriorSettings(scale=0.1, view_turn_deg=3.0, view_shift_mm=5.0)


def test_it_costs_nothing_to_stay_at_the_start():
    start = standing(n_views=2)
    assert float(Prior(start, BEAM, EVERYTHING).cost(start)[0]) == 0.0


def test_the_precision_is_the_curvature_of_the_cost():
    start, h = standing(n_views=2), 1e-3
    prior = Prior(start, BEAM, EVERYTHING)
    steps = unit_steps(start)[:, 0] * h

    def cost(step: torch.Tensor) -> float:
        return float(prior.cost(start.stepped(step[None]))[0])

    for i in range(3, start.n_steps, 6):
        for j in range(start.n_steps):
            curvature = (
                cost(steps[i] + steps[j])
                - cost(steps[i] - steps[j])
                - cost(steps[j] - steps[i])
                + cost(-steps[i] - steps[j])
            )
            expected = float(prior.precision()[i, j])
            assert curvature / (4 * h**2) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_one_standard_deviation_of_anything_costs_a_half():
    start = standing(n_views=2)
    prior = Prior(start, BEAM, EVERYTHING)
    widths = {0: math.radians(30.0), 6: 0.1, 8: 1.0, 11: math.radians(3.0), 14: 5.0}
    for number, width in widths.items():
        there = start.stepped(width * unit_steps(start)[number])
        assert float(prior.cost(there)[0]) == pytest.approx(0.5, rel=1e-6)


def test_the_depth_is_held_along_the_beam_and_not_across_it():
    start = standing()
    prior = Prior(start, BEAM, PriorSettings(depth_mm=10.0, across_mm=50.0))
    step = torch.zeros(1, start.n_steps, dtype=torch.float64)
    step[0, 3:6] = 10.0 * BEAM
    assert float(prior.cost(start.stepped(step))[0]) == pytest.approx(0.5)
    step[0, 3:6] = 50.0 * torch.tensor([0.8, 0.6, 0.0])
    assert float(prior.cost(start.stepped(step))[0]) == pytest.approx(0.5)


def test_the_deviation_is_the_step_that_was_taken():
    start = somewhere(n_views=1)
    prior = Prior(start, BEAM, EVERYTHING)
    step = torch.full((1, start.n_steps), 0.01, dtype=torch.float64)
    expected = prior.deviation(start) + step
    torch.testing.assert_close(prior.deviation(start.stepped(step))[:, :10], expected[:, :10])


def test_the_pose_is_always_free_and_the_rest_where_its_deviation_is_not_zero():
    two = standing(n_views=2)
    plain = Prior(two, BEAM, PriorSettings()).free(n_shape=1)
    assert plain.nonzero().flatten().tolist() == [0, 1, 2, 3, 4, 5, 7]
    turning = Prior(two, BEAM, PriorSettings(view_turn_deg=2.0)).free(3)
    assert turning.nonzero().flatten().tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 16, 17, 18]


def test_one_view_has_no_pose_of_its_own():
    assert not Prior(standing(), BEAM, EVERYTHING).free(3)[10:].any()


@pytest.mark.parametrize("wrong", [{"depth_mm": 0.0}, {"turn_deg": -1.0}, {"view_shift_mm": -0.1}])
def test_a_deviation_that_is_not_one_is_refused(wrong):
    with pytest.raises(InputError, match="positive"):
        PriorSettings(**wrong)


def test_views_are_free_only_where_their_deviations_are_not_zero():
    settings = PriorSettings(view_turn_deg=1.0, view_shift_mm=2.0)
    two = standing(n_views=2)
    assert int(Prior(two, BEAM, settings).free(0).sum()) == 6 + 12
    assert int(Prior(two, BEAM, settings.with_views_fixed()).free(0).sum()) == 6
