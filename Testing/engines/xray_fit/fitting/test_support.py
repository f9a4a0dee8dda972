"""Support: what is seen in some image, and what is in none."""

import numpy as np

from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.support import in_field, support_in_views
from mri2mesh.geometry.xray_camera import XrayCamera


def view(angle: float) -> Observation:
    """100 x 100 mm at the isocentre."""
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=500,
        pixel_spacing_mm=(2.0, 2.0),
        size=(100, 100),
        primary_angle_deg=angle,
    )
    return Observation(camera, np.zeros((100, 100), np.float32), np.ones((100, 100), bool))


POINTS = np.array([[0.0, 0, 0], [0, 0, 45], [0, 0, 55], [70, 0, 0]])


def test_points_beside_the_image_have_no_support():
    assert support_in_views(POINTS, [view(180)]).tolist() == [1, 1, 0, 0]


def test_masked_pixels_give_no_support():
    seen = view(180)
    seen.mask[:20] = False
    assert in_field(POINTS, seen.camera, seen.mask).tolist() == [True, False, False, False]


def test_what_one_view_misses_another_may_see():
    assert support_in_views(POINTS, [view(180), view(90)]).tolist() == [1, 1, 0, 1]
