"""Landmarks picked in a view: distances on the detector, and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.lumps import c_arm, somewhere, standing, unit_steps
from mri2mesh.engines.xray_fit.fitting.landmark_term import LandmarkTerm
from mri2mesh.errors import InputError

PICKED = {"top": (20.0, 10.0), "left": (45.0, 33.0)}


def test_the_slope_is_the_descent_of_the_cost(family):
    at, h = somewhere(), 1e-4
    term = LandmarkTerm(PICKED, c_arm(), 0, family)
    slope = term.linearise(at)[0].slope[0]
    for number, step in enumerate(unit_steps(at)):
        change = term.cost(at.stepped(h * step)) - term.cost(at.stepped(-h * step))
        assert float(slope[number]) == pytest.approx(-float(change[0]) / (2 * h), rel=1e-3, abs=1e-3)


def test_where_landmarks_coincide_the_precision_is_the_curvature_of_the_cost(family):
    at, h = somewhere(), 1e-4
    camera = c_arm(150.0)
    seen = at.seen(at.vertices(family), 0)[0]
    exact = {
        name: tuple(camera.project(seen[group].mean(0).numpy())) for name, group in family.landmarks.items()
    }
    term = LandmarkTerm(exact, camera, 0, family)
    parts = term.linearise(at)[0]
    assert float(parts.cost[0]) == pytest.approx(0.0, abs=1e-12)
    for number, step in enumerate(unit_steps(at)):
        change = (
            term.linearise(at.stepped(-h * step))[0].slope - term.linearise(at.stepped(h * step))[0].slope
        )
        torch.testing.assert_close(parts.precision[0, number], change[0] / (2 * h), rtol=1e-3, atol=2e-2)


def test_a_pick_that_is_off_by_one_deviation_costs_a_half_and_is_that_far_off(family):
    at, camera = standing(), c_arm()
    column, row = camera.project(family.mean[family.landmarks["top"]].mean(0).numpy())
    off = column + 3.0 / camera.pixel_spacing_mm[1]
    term = LandmarkTerm({"top": (off, row)}, camera, 0, family, deviation_mm=3.0)
    assert float(term.cost(at)[0]) == pytest.approx(0.5)
    np.testing.assert_allclose(term.distance_mm(at), [[3.0]], rtol=1e-9)


def test_a_name_that_the_model_does_not_have_is_refused_and_the_right_ones_are_named(family):
    with pytest.raises(InputError, match="'knee': use left, top"):
        LandmarkTerm({"knee": (0, 0)}, c_arm(), 0, family)
