"""Separable operators and random fields."""

import numpy as np
import pytest

from mri2mesh.synthesis.mr.fields import (
    apply_separable,
    bspline_matrix,
    linear_matrix,
    smooth_field,
    upsample,
)


def test_linear_interpolation_reproduces_a_ramp_and_is_clamped_at_its_ends():
    ramp = 3.0 * np.arange(7) + 1
    positions = np.array([-2.0, 0.0, 0.25, 3.5, 6.0, 9.0])
    np.testing.assert_allclose(
        linear_matrix(positions, 7) @ ramp, 3.0 * np.clip(positions, 0, 6) + 1, rtol=1e-6
    )


def test_a_cubic_b_spline_reproduces_a_ramp_and_its_weights_sum_to_one():
    positions = np.linspace(1, 7.99, 40)
    matrix = bspline_matrix(positions, 10)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(matrix @ (2.0 * np.arange(10)), 2.0 * positions, atol=1e-5)


def test_separable_matrices_act_on_their_own_axes():
    rng = np.random.default_rng(1)
    array = rng.standard_normal((4, 5, 6))
    k, j, i = (rng.standard_normal(shape) for shape in ((3, 4), (7, 5), (2, 6)))
    expected = np.einsum("ak,bj,ci,kji->abc", k, j, i, array)
    result = apply_separable(array, (k.astype(np.float32), j.astype(np.float32), i.astype(np.float32)))
    np.testing.assert_allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize("scale", [4.0, (3.0, 8.0, 5.0)])
def test_a_smooth_field_has_unit_spread_and_no_jumps(scale):
    rng = np.random.default_rng(2)
    field = smooth_field(rng, (60, 70, 80), scale)
    assert field.shape == (60, 70, 80)
    assert abs(field.mean()) < 0.2
    assert 0.8 < field.std() < 1.2
    shortest = np.min(scale)
    assert np.abs(np.diff(field, axis=0)).mean() < 2.5 / shortest


def test_upsampling_a_linear_function_gives_it_back():
    k, j, i = (np.arange(n) * 4.0 for n in (4, 5, 3))
    coarse = k[:, None, None] + 2 * j[None, :, None] - i[None, None, :]
    fine = upsample(coarse, (12, 16, 9), 4.0)
    k, j, i = (np.arange(n) for n in (12, 16, 9))
    np.testing.assert_allclose(fine, k[:, None, None] + 2 * j[None, :, None] - i[None, None, :], atol=1e-4)
