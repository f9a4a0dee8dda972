"""Fewer faces for the same shapes: closed still, and moved alike by the same coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.lighter import lighter
from mri2mesh.geometry.checks import is_watertight, volume_mm3
from mri2mesh.geometry.distances import surface_distances


@pytest.mark.parametrize(("name", "faces"), [("pelvis", 2500), ("pelvis_femur", 6000), ("L3", 1500)])
def test_every_part_stays_closed_and_nearly_as_large(name, faces):
    whole = read_shape_model(name)
    light = lighter(whole, faces)
    assert 0.9 * faces < len(light.faces) <= faces
    for part in whole.part_names:
        mine, its = light.surface(light.mean, part), whole.surface(whole.mean, part)
        assert is_watertight(mine)
        assert volume_mm3(mine) == pytest.approx(volume_mm3(its), rel=0.04)


def test_the_same_coefficients_give_nearly_the_same_surface():
    whole = read_shape_model("femur_left")
    light = lighter(whole, 1000)
    b = whole.sample(np.random.default_rng(0))
    apart = surface_distances(light.mesh(b), whole.mesh(b), n_samples=2000)
    assert apart.assd < 0.5


def test_a_model_with_few_faces_stays_as_it_is():
    whole = read_shape_model("femur_left")
    light = lighter(whole, 10**6)
    np.testing.assert_array_equal(light.mean, whole.mean)
    np.testing.assert_array_equal(light.faces, whole.faces)
