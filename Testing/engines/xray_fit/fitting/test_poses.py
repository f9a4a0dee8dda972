"""Poses distinguished: the reflected tilt, and candidates that ended in the same place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.lumps import c_arm, somewhere, standing
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import SAME_MM, distances, distinct, reflected, seen_from_aside
from mri2mesh.geometry.tensors import rotation_matrix
from mri2mesh.geometry.xray_camera import XrayCamera


def view(camera: XrayCamera) -> Observation:
    return Observation(camera, np.zeros(camera.size, np.float32), np.ones(camera.size, bool))


def from_afar() -> Observation:
    """So far away that all rays run along the y axis."""
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=2e6, source_to_isocentre_mm=1e6, pixel_spacing_mm=(1.0, 1.0), size=(8, 8)
    )
    return view(camera)


def turned(degrees: tuple[float, float, float]) -> Parameters:
    rotation = rotation_matrix(torch.tensor([degrees]).double().deg2rad())
    return replace(standing(), rotation=rotation)


class Rod:
    """The part of a family that poses go by: a box 10 x 20 x 200 mm about its middle, as it stands."""

    mean = torch.tensor(
        [[x, y, z] for x in (-5.0, 5.0) for y in (-10.0, 10.0) for z in (-100.0, 100.0)]
    ).double()


def test_a_rod_that_leans_to_the_front_is_reflected_to_lean_to_the_back():
    other = reflected(turned((20.0, 0.0, 0.0)), Rod(), [from_afar()])
    torch.testing.assert_close(other.rotation, turned((-20.0, 0.0, 0.0)).rotation, atol=1e-4, rtol=0)


def test_a_rod_across_the_beam_is_its_own_reflection():
    at = turned((0.0, 35.0, 0.0))
    torch.testing.assert_close(reflected(at, Rod(), [from_afar()]).rotation, at.rotation, atol=1e-4, rtol=0)


def test_the_reflection_casts_the_same_shadow_of_a_box_and_is_no_mirror_image():
    at = turned((25.0, 10.0, 5.0))
    other = reflected(at, Rod(), [from_afar()])
    assert float(torch.linalg.det(other.rotation)) == pytest.approx(1.0)
    for one in (at, other):
        corners = (Rod.mean @ one.rotation[0].T)[:, [0, 2]]
        shadow = corners[np.lexsort(corners.numpy().round(3).T)]
        if one is at:
            first = shadow
    torch.testing.assert_close(shadow, first, atol=1e-3, rtol=0)
    assert float((other.rotation - at.rotation).abs().max()) > 0.1


def test_only_views_from_another_side_are_from_aside():
    assert not seen_from_aside([view(c_arm(180.0))])
    assert not seen_from_aside([view(c_arm(180.0)), view(c_arm(170.0)), view(c_arm(0.0))])
    assert seen_from_aside([view(c_arm(180.0)), view(c_arm(135.0))])


def test_the_best_of_candidates_that_are_alike_is_kept(family: SurfaceFamily):
    at = standing().take(torch.tensor([0, 0, 0, 0]))
    shift = torch.tensor([0.0, 0.5 * SAME_MM, 3 * SAME_MM, 3.5 * SAME_MM]).double()
    at = replace(at, position=torch.stack([shift, 0 * shift, 0 * shift], 1))
    assert distinct(at, torch.tensor([2.0, 1.0, 4.0, 3.0]), family).tolist() == [1, 3]
    torch.testing.assert_close(distances(at, at, family)[0], shift)


def test_the_step_to_another_candidate_leads_there(family: SurfaceFamily):
    start, end = somewhere(2, seed=1), somewhere(2, batch=3, seed=2)
    steps = start.step_to(end)
    reached = start.take(torch.zeros(3, dtype=torch.long)).stepped(steps)
    for name, value in vars(end).items():
        torch.testing.assert_close(getattr(reached, name), value, atol=1e-9, rtol=0)
