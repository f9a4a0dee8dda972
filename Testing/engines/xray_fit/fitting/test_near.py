"""Only pixels near the bone count, once its place is about known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.lumps import c_arm, shadow, standing
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.near import near_bone
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser

REACH_MM = 10.0


@pytest.fixture(scope="module")
def seen(family) -> Observation:
    return shadow(family, standing(), c_arm(pixels=96))


def test_pixels_in_the_shadow_and_within_reach_of_it_are_near(family, seen):
    near = near_bone([seen], family, standing(), reach_mm=REACH_MM)[0].near
    assert near[seen.image > 0].all()
    columns = np.nonzero(seen.image > 0)[1]
    pixel_mm = seen.camera.pixel_spacing_mm[0] * 0.8
    past = np.nonzero(near.any(0))[0].max() - columns.max()
    assert past * pixel_mm == pytest.approx(REACH_MM, abs=2 * pixel_mm)
    assert not near[0].any() and not near[-1].any()


def test_every_start_and_what_is_seen_elsewhere_has_its_pixels(family, seen):
    aside = replace(standing(), position=standing().position + torch.tensor([25.0, 0.0, 0.0]))
    one = near_bone([seen], family, standing(), reach_mm=REACH_MM)[0].near
    both = near_bone([seen], family, Parameters.joined([standing(), aside]), reach_mm=REACH_MM)[0].near
    assert (both & ~one).any() and not (one & ~both).any()
    corner = np.zeros(seen.image.shape, bool)
    corner[2, 3] = True
    assert near_bone([seen], family, standing(), [corner])[0].near[2, 3]


def test_a_coarser_view_keeps_what_is_near(family, seen):
    near = near_bone([seen], family, standing(), reach_mm=REACH_MM)[0]
    small = coarser(near, 52)
    assert small.near[near.near[:96, :104].reshape(48, 2, 52, 2).all((1, 3))].all()
    assert small.near.mean() == pytest.approx(near.near.mean(), abs=0.05)


def test_what_lies_farther_off_makes_no_place_better(family):
    """A brighter lump aside: over the whole image its is the better place, near the bone the bone's is."""
    camera = c_arm(pixels=96, width_mm=250.0)
    seen = shadow(family, standing(), camera)
    there = replace(standing(), position=standing().position + torch.tensor([72.0, 0.0, 0.0]))
    film = replace(seen, image=seen.image + 3 * shadow(family, there, camera).image)
    places = Parameters.joined([standing(), there])
    settings = ImageSettings(coarse_mm=40.0)

    def ranked(view: Observation) -> list[float]:
        return ImageTerm(view, 0, family, settings, 800.0).rank_cost(places).tolist()

    bone, elsewhere = ranked(film)
    assert elsewhere < bone
    bone, elsewhere = ranked(near_bone([film], family, standing(), reach_mm=REACH_MM)[0])
    assert bone < elsewhere
