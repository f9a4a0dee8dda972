"""The box around a bone's shadow: pixels, camera and filter in it are those of the whole image."""

import numpy as np
import torch

from mri2mesh.engines.xray_fit.fitting.box import Box
from mri2mesh.engines.xray_fit.fitting.filters import BandPass
from mri2mesh.geometry.xray_camera import XrayCamera


def shadow(top: int, bottom: int, left: int, right: int) -> torch.Tensor:
    found = torch.zeros(2, 60, 80, dtype=torch.bool)
    found[1, top:bottom, left:right] = True
    return found


def test_a_box_reaches_around_the_shadow_and_begins_at_a_block():
    box = Box.around(shadow(20, 30, 40, 50), reach=7, block=4)
    assert (box.rows, box.columns) == (slice(12, 37), slice(32, 57))


def test_a_box_ends_with_the_image():
    assert Box.around(shadow(2, 58, 1, 79), reach=7, block=4).size == (60, 80)


def test_without_a_shadow_the_box_is_the_whole_image():
    assert Box.around(torch.zeros(1, 60, 80, dtype=torch.bool), 7, 4).size == (60, 80)


def test_a_point_is_on_the_same_pixel_of_the_box_s_camera():
    whole = XrayCamera.from_c_arm(
        source_to_detector_mm=1000, source_to_isocentre_mm=700, pixel_spacing_mm=(2.0, 3.0), size=(60, 80)
    )
    point = np.array([[11.0, 2.0, -7.0]])
    box = Box(slice(8, 50), slice(12, 70))
    moved = whole.project(point) - box.camera(whole).project(point)
    assert np.allclose(moved, [[12, 8]])


def test_in_a_box_the_filter_does_what_it_does_in_the_whole_image():
    mask = torch.ones(60, 80, dtype=torch.bool)
    mask[:, 44:] = False
    band_pass = BandPass(mask, 0.7, 6.0)
    there = shadow(20, 34, 30, 50)
    image = torch.randn(2, 60, 80, 3, generator=torch.Generator().manual_seed(0)) * there.any(0)[..., None]
    box = Box.around(there, band_pass.reach, band_pass.block)
    whole = band_pass(image)
    part = band_pass.within(box)(image[:, box.rows, box.columns])
    torch.testing.assert_close(part, whole[:, box.rows, box.columns], atol=1e-5, rtol=1e-4)
    whole[:, box.rows, box.columns] = 0
    assert whole.abs().max() < 0.01 * part.abs().max()
