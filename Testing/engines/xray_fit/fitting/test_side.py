"""The other side's bone: a true mirror image, and only of bones that have a side."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.xray_fit.checks import MAX_MIRRORED_MARGIN, side
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.side import in_place, mirrored, one_sided
from mri2mesh.geometry.checks import is_watertight, volume_mm3


@pytest.mark.parametrize(
    ("name", "sided"), [("femur_left", True), ("femur_right", True), ("pelvis", False), ("L3", False)]
)
def test_femora_have_a_side_and_what_lies_in_the_middle_has_none(name, sided):
    assert one_sided(read_shape_model(name)) is sided


def test_a_mirrored_left_femur_is_a_right_one():
    left, right = read_shape_model("femur_left"), read_shape_model("femur_right")
    other = mirrored(left)
    scores = np.array([1.0, -0.5])
    np.testing.assert_allclose(other.vertices(scores), left.vertices(scores) * [-1.0, 1.0, 1.0], atol=1e-6)
    assert is_watertight(other.mesh())
    assert volume_mm3(other.mesh()) == pytest.approx(volume_mm3(left.mesh()), rel=1e-6)
    head = other.landmark("femoral_head_centre_left") - other.landmark("greater_trochanter_left")
    of_right = right.landmark("femoral_head_centre_right") - right.landmark("greater_trochanter_right")
    np.testing.assert_allclose(head, of_right, atol=5.0)


def test_a_side_is_doubted_only_where_the_mirror_image_is_clearly_better():
    assert side(0.90, 0.80).passed
    assert side(0.80, 0.80 + 0.9 * MAX_MIRRORED_MARGIN).passed
    doubted = side(0.80, 0.90)
    assert not doubted.passed and "mirrored or of the other side" in doubted.detail


def test_the_other_sides_bone_is_laid_on_this_ones_place():
    model = read_shape_model("femur_left")
    family, other = SurfaceFamily(model), SurfaceFamily(mirrored(model))
    turn = Rotation.from_rotvec([20.0, -10.0, 35.0], degrees=True).as_matrix()
    at = Parameters.at(torch.from_numpy(turn)[None], torch.tensor([[40.0, -8.0, 90.0]]), family.n_modes, 1)
    there = at.vertices(family)[0].numpy()
    laid = in_place(other, at, family).vertices(other)[0].numpy()
    apart = np.linalg.norm(laid - there, axis=1)
    assert np.median(apart) < 30.0 and apart.max() < 80.0
    np.testing.assert_allclose(laid.mean(0), there.mean(0), atol=1e-6)
