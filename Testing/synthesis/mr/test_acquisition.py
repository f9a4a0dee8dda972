"""The simulated scan."""

import numpy as np
import pytest

from mri2mesh.synthesis.mr.acquisition import _rician, _truncated_spectrum, acquire, finish
from mri2mesh.synthesis.mr.slices import Protocol

LINE = np.array([0.0, 30.0])


def ball(shape=(60, 80, 40), centre=(30, 45, 14), radius=10) -> np.ndarray:
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    distance = (k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2
    return np.where(distance < radius**2, 1.0, 0.05).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_things_stay_where_they_are_whatever_the_slices(axis):
    protocol = Protocol(axis, 4.0, 0.5, (0.7, 0.9), "box")
    shifts = []
    for seed in range(6):
        image, _, _ = acquire(ball(), np.random.default_rng(seed), LINE, protocol)
        bright = np.argwhere(image > 0.5 * np.percentile(image, 99.5))
        bright = bright[np.abs(bright - [30, 45, 14]).max(axis=1) < 14]
        shifts.append(bright.mean(axis=0) - [30, 45, 14])
    assert np.abs(np.median(shifts, axis=0)).max() < 1.0


def test_a_scan_is_deterministic_finite_and_in_range():
    first, seen, description = acquire(ball(), np.random.default_rng(7), LINE)
    again, _, _ = acquire(ball(), np.random.default_rng(7), LINE)
    np.testing.assert_array_equal(first, again)
    assert first.shape == (60, 80, 40) and first.dtype == np.float32
    assert np.isfinite(first).all() and first.min() >= 0 and first.max() <= 1.5
    assert (
        (first[~seen[0]] == 0).all()
        and (first[:, ~seen[1]] == 0).all()
        and (first[:, :, ~seen[2]] == 0).all()
    )
    assert "sagittal" in str(description["protocol"]) or "axial" in str(description["protocol"])


def test_noise_without_signal_is_rayleigh_and_with_signal_nearly_gaussian():
    rng = np.random.default_rng(8)
    dark = _rician(np.zeros((50, 50, 50), np.float32), 2.0, rng)
    assert dark.mean() == pytest.approx(2.0 * np.sqrt(np.pi / 2), rel=0.01)
    bright = _rician(np.full((50, 50, 50), 100, np.float32), 2.0, rng)
    assert bright.mean() == pytest.approx(100.02, abs=0.05) and bright.std() == pytest.approx(2.0, rel=0.02)


def test_a_truncated_spectrum_keeps_the_mean_and_rings_beside_an_edge():
    step = np.zeros((64, 64, 8), np.float32) + 1
    step[16:48, 16:48] = 2
    result = _truncated_spectrum(step, 2, np.random.default_rng(9))
    assert result.mean() == pytest.approx(step.mean(), rel=1e-3)
    assert result.max() > 2.02


def test_the_bright_end_is_brought_to_one():
    image = finish(
        np.random.default_rng(1).random((30, 30, 30), dtype=np.float32) * 500, np.random.default_rng(2)
    )
    assert 0.7 < np.percentile(image, 99) < 1.2
