"""Joints held at the depth that the geometry says: the term, its derivatives, and what it is for."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.lumps import c_arm, lumps, shadow, somewhere, standing, unit_steps
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.held_depth import WEIGHT, DepthTerm, HeldDepth, held_by
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm
from mri2mesh.engines.xray_fit.fitting.prior import Prior, PriorSettings
from mri2mesh.engines.xray_fit.fitting.solver import solve

BEAM = np.array([0.6, -0.8, 0.0])
PLACE = np.array([5.0, -3.0, 40.0])
SD_MM = 8.0


def held(family: SurfaceFamily, beam: np.ndarray = BEAM, place: np.ndarray = PLACE) -> DepthTerm:
    return DepthTerm(HeldDepth(place, beam, SD_MM), family, ("top", "left"))


def test_the_slope_is_the_descent_of_the_cost_but_for_the_views_own_pose(family):
    at, h = somewhere(), 1e-4
    term = held(family)
    slope = term.linearise(at)[0].slope[0]
    for number, step in enumerate(unit_steps(at)[:-6]):
        change = term.cost(at.stepped(h * step)) - term.cost(at.stepped(-h * step))
        assert float(slope[number]) == pytest.approx(-float(change[0]) / (2 * h), rel=1e-4, abs=1e-4)
    assert not slope[-6:].any()


def test_a_standard_deviation_along_the_beam_costs_the_weights_half_and_across_it_nothing(family):
    at, term = standing(), held(family)
    at = replace(at, position=at.position - float(term.off_mm(at)[0]) * torch.from_numpy(BEAM))
    assert float(term.cost(at)[0]) == pytest.approx(0.0, abs=1e-9)
    deeper = replace(at, position=at.position + SD_MM * torch.from_numpy(BEAM))
    assert float(term.cost(deeper)[0]) == pytest.approx(WEIGHT / 2)
    assert float(term.off_mm(deeper)[0]) == pytest.approx(SD_MM)
    aside = replace(at, position=at.position + torch.tensor([0.8, 0.6, 5.0]))
    assert float(term.cost(aside)[0]) == pytest.approx(0.0, abs=1e-9)


def test_the_stated_uncertainty_is_the_standard_deviation_and_not_the_weights(family):
    at = standing()
    prior = Prior(at, torch.from_numpy(BEAM), PriorSettings(depth_mm=1e4, turn_deg=0.01))
    end = solve([held(family)], prior, at, 0, 5)
    pose = slice(0, 6)
    inverse = torch.linalg.inv(end.precision[0, pose, pose])
    covariance = (inverse @ end.scatter[0, pose, pose] @ inverse)[3:, 3:].numpy()
    assert math.sqrt(BEAM @ covariance @ BEAM) == pytest.approx(SD_MM, rel=0.05)


def test_a_bone_larger_than_its_family_does_not_draw_one_view_towards_the_source(family):
    camera = c_arm()
    larger = replace(lumps(), mean=lumps().mean * 1.05)
    seen = shadow(SurfaceFamily(larger), standing(), camera)
    at, beam = standing(), torch.from_numpy(camera.axes_ras[2])
    image = ImageTerm(seen, 0, family, ImageSettings(coarse_mm=30.0), 800.0)
    prior = Prior(at, beam, PriorSettings(depth_mm=60.0))
    term = held(family, camera.axes_ras[2], np.zeros(3))

    def off(terms: list) -> float:
        return float(term.off_mm(solve(terms, prior, at, 3, 15).parameters)[0])

    begun = float(term.off_mm(at)[0])
    free, there = off([image]), off([image, term])
    assert free < begun - 25.0
    assert abs(there) < 0.3 * abs(free)


def test_only_bones_with_a_hip_joint_are_held(family):
    assert held_by(None, family) == []
    with pytest.raises(KeyError):
        held_by(HeldDepth(PLACE, BEAM, SD_MM), family)
