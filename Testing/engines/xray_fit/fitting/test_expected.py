"""Where a bone is expected: at the isocentre front to back, in the middle of the usable fields sideways."""

import numpy as np
import pytest

from mri2mesh.engines.xray_fit.fitting.expected import LEAST_SURE_MM, expected_place
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.geometry.xray_camera import XrayCamera

ISOCENTRE = (10.0, -20.0, 30.0)


def blank(angle: float) -> Observation:
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=800,
        pixel_spacing_mm=(3.0, 3.0),
        size=(64, 64),
        primary_angle_deg=angle,
        isocentre_ras_mm=ISOCENTRE,
    )
    return Observation(camera, np.zeros((64, 64), np.float32), np.ones((64, 64), bool))


def beam(angle: float) -> np.ndarray:
    return blank(angle).camera.axes_ras[2]


@pytest.mark.parametrize("angles", [(180,), (180, 90), (0, 40), (90,)])
def test_whole_images_of_one_isocentre_expect_the_bone_there(angles):
    place = expected_place([blank(angle) for angle in angles], [800.0] * len(angles))
    assert np.allclose(place.position, ISOCENTRE, atol=1e-6)


def test_where_half_an_image_is_usable_the_bone_is_expected_in_that_half():
    half = blank(180)
    half.mask[:, :32] = False
    shift = expected_place([half], [800.0]).position - ISOCENTRE
    assert float(blank(180).camera.axes_ras[0] @ shift) == pytest.approx(16 * 3.0 * 800 / 1000, rel=0.05)


def test_fields_whose_middles_meet_far_from_the_isocentre_hardly_move_it_front_to_back():
    views = [blank(180), blank(135)]
    views[0].mask[:, 24:] = False  # blades found in one view and not in the other
    shift = expected_place(views, [800.0, 800.0]).position - ISOCENTRE
    rays = (
        20 * 3.0 * 800 / 1000
    )  # where the middles' rays meet lies so far from the isocentre, front and side
    assert abs(shift[1]) < 0.25 * rays
    assert abs(shift[0]) > 0.25 * rays


def test_the_isocentre_says_how_deep_a_front_view_s_bone_is_and_hardly_a_side_view_s():
    front = expected_place([blank(180)], [800.0], isocentre_sd_mm=15.0)
    side = expected_place([blank(90)], [800.0], isocentre_sd_mm=15.0)
    assert front.sd_along(beam(180)) == pytest.approx(15.0, rel=0.01)
    assert side.sd_along(beam(90)) == LEAST_SURE_MM


def test_two_views_share_one_isocentre_and_do_not_make_it_surer():
    both = expected_place([blank(180), blank(178)], [800.0, 800.0], isocentre_sd_mm=15.0)
    assert both.sd_along(beam(180)) == pytest.approx(15.0, rel=0.02)
