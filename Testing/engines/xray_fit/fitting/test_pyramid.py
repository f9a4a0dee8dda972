"""Coarser views: the same geometry, blocks averaged over what counts."""

from __future__ import annotations

import numpy as np
import pytest

from engines.xray_fit.fitting.lumps import c_arm
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser


def ramp(pixels: int = 64) -> Observation:
    camera = c_arm(pixels=pixels)
    rows, columns = np.meshgrid(*(np.arange(n) for n in camera.size), indexing="ij")
    return Observation(camera, (2.0 * rows + columns).astype(np.float32), np.ones(camera.size, bool))


def test_a_point_falls_on_the_same_place_of_the_patient():
    seen = ramp()
    smaller = coarser(seen, 18)
    assert smaller.camera.size == (16, 18)
    points = np.random.default_rng(0).uniform(-30, 30, (20, 3))
    np.testing.assert_allclose(
        (smaller.camera.project(points) + 0.5) * 4, seen.camera.project(points) + 0.5, atol=1e-9
    )


def test_a_ramp_stays_the_ramp_that_it_was():
    smaller = coarser(ramp(), 18)
    # the middle of block k is at 4 k + 1.5
    rows, columns = np.meshgrid(np.arange(16), np.arange(18), indexing="ij")
    np.testing.assert_allclose(smaller.image, 2 * (4 * rows + 1.5) + 4 * columns + 1.5)


def test_only_usable_pixels_are_averaged_and_mostly_unusable_blocks_do_not_count():
    seen = ramp()
    mask, image = seen.mask.copy(), np.full_like(seen.image, 5.0)
    mask[:4, :3] = False  # three quarters of the first block
    mask[4:8, :1] = False  # one quarter of the one below it
    image[~mask] = np.nan
    smaller = coarser(Observation(seen.camera, image, mask), 18)
    assert not smaller.mask[0, 0] and smaller.mask.sum() == smaller.mask.size - 1
    assert smaller.image[0, 0] == 0
    np.testing.assert_allclose(smaller.image[smaller.mask], 5.0, rtol=1e-6)


@pytest.mark.parametrize("longer_side", [64, 72, 1000])
def test_a_view_is_never_made_finer(longer_side):
    seen = ramp()
    assert coarser(seen, longer_side) is seen
