"""The band-pass and the lattice of contrasts: nothing from outside the mask, nothing of what varies slowly."""

from __future__ import annotations

import math

import pytest
import torch

from mri2mesh.engines.xray_fit.fitting.filters import BandPass, smooth_gains


@pytest.fixture
def mask() -> torch.Tensor:
    mask = torch.ones(48, 64, dtype=torch.bool)
    mask[:, :9] = False
    mask[30:, 40:50] = False
    return mask


def test_a_constant_image_becomes_zero_also_at_the_border_of_the_mask(mask):
    filtered = BandPass(mask, 1.0, 8.0)(torch.full((1, 48, 64, 1), 7.0))
    assert filtered.abs().max() < 1e-5


def test_what_is_outside_the_mask_does_not_matter_and_stays_zero(mask):
    image = torch.randn(1, 48, 64, 1, generator=torch.Generator().manual_seed(0))
    garbage = torch.where(mask[None, :, :, None], image, 1e4)
    band_pass = BandPass(mask, 1.0, 8.0)
    torch.testing.assert_close(band_pass(image), band_pass(garbage), rtol=0, atol=0)
    assert (band_pass(garbage)[0, ~mask] == 0).all()


def test_images_are_filtered_one_by_one_and_linearly(mask):
    a, b = torch.randn(2, 1, 48, 64, 1, generator=torch.Generator().manual_seed(1))
    band_pass = BandPass(mask, 1.0, 8.0)
    both = band_pass(torch.cat([a, b], -1))
    torch.testing.assert_close(both[..., :1], band_pass(a))
    torch.testing.assert_close(band_pass(2 * a - b), 2 * both[..., :1] - both[..., 1:], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pixels_a_wave", [8.0, 16.0, 100.0])
def test_a_wave_passes_by_the_difference_of_two_gaussians(pixels_a_wave):
    frequency = 2 * math.pi / pixels_a_wave
    wave = torch.cos(frequency * (torch.arange(200.0) - 100))[None, None, :, None].expand(1, 5, 200, 1)
    filtered = BandPass(torch.ones(5, 200), 1.0, 6.0)(wave)
    passed = math.exp(-((frequency * 1.0) ** 2) / 2) - math.exp(-((frequency * 6.0) ** 2) / 2)
    # the wide blur is made from averages of blocks: half a percent off
    torch.testing.assert_close(filtered[:, :, 40:160], passed * wave[:, :, 40:160], atol=6e-3, rtol=0)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_bumps_of_contrast_share_every_pixel_out(n):
    gains = smooth_gains((20, 30), n)
    assert gains.shape == (20, 30, n * n)
    torch.testing.assert_close(gains.sum(-1), torch.ones(20, 30))
    corners = gains[[0, 0, -1, -1], [0, -1, 0, -1]].argmax(-1)
    assert corners.tolist() == [0, n - 1, n * (n - 1), n * n - 1]
