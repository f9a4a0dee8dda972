"""Parameters of a fit: what a step does, and that the directions say it beforehand."""

from __future__ import annotations

import math

import pytest
import torch

from engines.xray_fit.fitting.lumps import somewhere, standing, unit_steps
from mri2mesh.engines.xray_fit.fitting.parameters import SCALE, Parameters, turn_of
from mri2mesh.geometry.tensors import rotation_matrix


@pytest.mark.parametrize("view", [0, 1])
def test_directions_are_the_velocities_of_the_surface_that_a_view_sees(family, view):
    at, h = somewhere(n_views=2), 1e-5
    directions = at.directions(family, at.vertices(family), view)[0].double()
    felt = [*range(10), *range(10 + 6 * view, 16 + 6 * view)]

    def seen(step: torch.Tensor) -> torch.Tensor:
        there = at.stepped(step)
        return there.seen(there.vertices(family), view)[0]

    for number, step in enumerate(unit_steps(at)[felt]):
        slope = (seen(h * step) - seen(-h * step)) / (2 * h)
        torch.testing.assert_close(directions[number], slope, rtol=1e-4, atol=1e-3)


def test_directions_of_the_first_modes_are_those_without_the_others(family):
    at = somewhere(n_views=2)
    vertices = at.vertices(family)
    every, first = at.directions(family, vertices, 1), at.directions(family, vertices, 1, n_shape=1)
    torch.testing.assert_close(first, torch.cat([every[:, :8], every[:, -6:]], 1))


def test_a_view_does_not_feel_the_corrections_of_another(family):
    at = somewhere(n_views=2)
    step = torch.zeros(1, at.n_steps, dtype=torch.float64)
    step[0, 16:] = 0.3
    there = at.stepped(step)
    vertices = at.vertices(family)
    torch.testing.assert_close(there.vertices(family), vertices)
    torch.testing.assert_close(there.seen(vertices, 0), at.seen(vertices, 0))
    assert (there.seen(vertices, 1) - at.seen(vertices, 1)).abs().max() > 1.0


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.4, math.radians(179.0)])
def test_a_rotation_vector_comes_back_from_its_rotation(angle):
    axis = torch.tensor([[2.0, -1.0, 2.0], [0.0, 0.0, 3.0]], dtype=torch.float64) / 3
    rotation = rotation_matrix(angle * axis)
    torch.testing.assert_close(turn_of(rotation), angle * axis, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).double().expand(2, 3, 3))


def test_a_quarter_turn_about_z_takes_x_to_y():
    quarter = rotation_matrix(torch.tensor([0.0, 0.0, math.pi / 2], dtype=torch.float64))
    torch.testing.assert_close(quarter[:, 0], torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64))


def test_the_surface_grows_about_its_centre(family):
    at = somewhere()
    step = torch.zeros(1, at.n_steps, dtype=torch.float64)
    step[0, SCALE] = math.log(2.0)
    centre = at.position[:, None]
    larger = at.stepped(step).vertices(family) - centre
    torch.testing.assert_close(larger, 2 * (at.vertices(family) - centre))


def test_a_fresh_start_is_the_mean_shape_where_it_was_put(family):
    place = torch.tensor([[1.0, 2.0, 3.0]])
    at = Parameters.at(torch.eye(3)[None], place, 3, 2)
    torch.testing.assert_close(at.vertices(family)[0], family.mean + place.double())
    assert at.n_steps == 7 + 3 + 2 * 6


def test_the_better_of_two_is_chosen_candidate_by_candidate():
    one, other = somewhere(batch=2, seed=1), somewhere(batch=2, seed=2)
    mixed = one.where(torch.tensor([True, False]), other)
    for name, value in vars(mixed).items():
        torch.testing.assert_close(value[0], getattr(one, name)[0])
        torch.testing.assert_close(value[1], getattr(other, name)[1])
    assert len(one.take(torch.tensor([1]))) == 1


def test_coefficients_are_in_standard_deviations(family):
    moved = standing((1.0, 0.0, 0.0)).vertices(family)[0] - family.mean
    assert float(moved.square().sum(1).mean().sqrt()) == pytest.approx(3.0, rel=1e-6)
