"""Sampling with a slice profile, and back."""

import numpy as np
import pytest

from mri2mesh.synthesis.mr.slices import AxisSampling, Protocol, random_protocol, samplings


@pytest.mark.parametrize("profile", ["box", "gaussian"])
@pytest.mark.parametrize("width", [0.5, 1.0, 4.3])
def test_a_constant_stays_constant_and_a_ramp_keeps_its_place(profile, width):
    sampling = AxisSampling(np.arange(8.3, 50, width), width, profile)
    matrix = sampling.matrix(60)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(matrix @ np.arange(60.0), sampling.centres, atol=0.2)


def test_a_box_profile_integrates_over_the_slice_thickness():
    point = np.zeros(41)
    point[20] = 1
    centres = np.arange(10.0, 30.01, 0.25)
    response = AxisSampling(centres, 5.0, "box").matrix(41) @ point
    above_half = centres[response > response.max() / 2]
    assert above_half[-1] - above_half[0] == pytest.approx(5.0, abs=0.5)


def test_reading_back_is_exact_at_slice_centres_and_empty_beyond_the_stack():
    sampling = AxisSampling(np.array([4.0, 8.0, 12.0]), 4.0, "box")
    back = sampling.back(20) @ np.array([1.0, 5.0, 3.0])
    np.testing.assert_allclose(back[[4, 8, 12]], [1, 5, 3], atol=1e-6)
    assert back[6] == pytest.approx(3.0)
    assert (back[:2] == 0).all() and (back[15:] == 0).all()


def test_protocols_stay_within_what_clinics_use():
    rng = np.random.default_rng(0)
    protocols = [random_protocol(rng) for _ in range(300)]
    assert all(0.8 <= p.thickness <= 6 and all(0.4 <= d <= 1.5 for d in p.in_plane) for p in protocols)
    sagittal = sum(p.axis == 2 for p in protocols)
    assert 0.8 < sagittal / 300 < 0.95


def test_thick_slices_run_across_the_named_axis_and_gaps_widen_their_distance():
    protocol = Protocol(axis=2, thickness=4.0, gap=1.0, in_plane=(0.5, 1.25), profile="box")
    k, j, i = samplings(protocol, (100, 120, 60), np.random.default_rng(3))
    assert np.diff(i.centres)[0] == pytest.approx(5.0) and i.width == 4.0
    assert np.diff(k.centres)[0] == pytest.approx(0.5) and np.diff(j.centres)[0] == pytest.approx(1.25)
    assert len(i.centres) == 12
