"""How fits go from coarse to fine, by the sides that their views look from."""

from __future__ import annotations

import numpy as np
import pytest

from engines.xray_fit.fitting.lumps import c_arm
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.levels import ONE_SIDE, SEVERAL_SIDES, levels_for


def views(*angles_deg: float) -> list[Observation]:
    cameras = [c_arm(angle) for angle in angles_deg]
    return [Observation(one, np.zeros(one.size, np.float32), np.ones(one.size, bool)) for one in cameras]


@pytest.mark.parametrize("angles", [(180.0,), (180.0, 172.0)])
def test_views_of_one_side_weigh_little_while_the_place_is_sought(angles):
    levels = levels_for(views(*angles))
    assert levels is ONE_SIDE
    assert levels[0].tempered and not levels[-1].tempered


def test_views_of_several_sides_weigh_fully_from_the_start():
    levels = levels_for(views(180.0, 135.0))
    assert levels is SEVERAL_SIDES
    assert not any(level.tempered for level in levels)


@pytest.mark.parametrize("levels", [ONE_SIDE, SEVERAL_SIDES])
def test_images_get_finer_and_candidates_fewer(levels):
    assert [one.pixels for one in levels] == sorted(one.pixels for one in levels)
    assert [one.keep for one in levels] == sorted((one.keep for one in levels), reverse=True)
    assert levels[-1].keep == 1 and levels[-1].local
