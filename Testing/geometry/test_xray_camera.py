"""Where a C-arm puts what: the patient's sides in the image, magnification, rows against columns."""

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera

RIGHT, LEFT, FRONT, HEAD = [30.0, 0, 0], [-30.0, 0, 0], [0, 30.0, 0], [0, 0, 30.0]


def c_arm(primary: float = 0.0, secondary: float = 0.0, **options) -> XrayCamera:
    settings = {"pixel_spacing_mm": (0.5, 0.5), "size": (401, 301), **options}
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=700,
        primary_angle_deg=primary,
        secondary_angle_deg=secondary,
        **settings,
    )


@pytest.mark.parametrize("primary", [0.0, 180.0])
def test_hung_from_the_front_the_patients_right_is_on_the_left_and_the_head_is_up(primary):
    camera = c_arm(primary)
    assert camera.project(RIGHT)[0] < 150 < camera.project(LEFT)[0]
    assert camera.project(HEAD)[1] < 200


def test_an_image_seen_from_the_source_is_the_mirror_of_the_one_seen_from_the_detector():
    behind, source = (
        c_arm(25, 10, seen_from=side).project([10.0, 20, 30]) for side in ("detector", "source")
    )
    np.testing.assert_allclose([behind[0] + source[0], behind[1]], [300, source[1]])


def test_with_zero_angles_the_detector_is_in_front_and_at_180_behind():
    assert c_arm(0).source_ras_mm == pytest.approx([0, -700, 0])
    assert c_arm(180).source_ras_mm == pytest.approx([0, 700, 0], abs=1e-9)


def test_a_positive_primary_angle_turns_the_detector_to_the_patients_left_and_a_secondary_to_the_head():
    assert c_arm(90).source_ras_mm == pytest.approx([700, 0, 0], abs=1e-9)  # source on the right
    assert c_arm(0, 90).source_ras_mm == pytest.approx([0, 0, -700], abs=1e-9)  # source at the feet


def test_magnification_is_the_ratio_of_distances():
    camera = c_arm()
    step = camera.project(RIGHT) - camera.project(LEFT)
    assert abs(step[0]) * 0.5 == pytest.approx(60 * 1000 / 700)
    nearer = [RIGHT[0], -100.0, 0]  # 100 mm towards the source
    assert abs(camera.project(nearer)[0] - 150) * 0.5 == pytest.approx(30 * 1000 / 600)


def test_row_spacing_counts_along_the_rows_and_column_spacing_across():
    camera = c_arm(pixel_spacing_mm=(0.25, 0.5))
    square = c_arm()
    assert camera.project(HEAD)[1] - 200 == pytest.approx(2 * (square.project(HEAD)[1] - 200))
    assert camera.project(RIGHT)[0] == pytest.approx(square.project(RIGHT)[0])


def test_the_principal_point_may_lie_off_the_image():
    camera = c_arm(principal_point_px=(-40.0, 500.0))
    assert camera.project([0.0, 0, 0]) == pytest.approx([-40, 500])


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"pixel_spacing_mm": (0.0, 0.5)}, "pixel spacing"),
        ({"size": (0, 10)}, "pixels"),
        ({"isocentre_ras_mm": (0, float("nan"), 0)}, "finite"),
    ],
)
def test_impossible_geometry_is_refused_in_one_line(wrong, message):
    with pytest.raises(InputError, match=message):
        c_arm(**wrong)


@pytest.mark.parametrize("seen_from", ["source", "detector"])
def test_a_pixel_stands_on_the_detector_where_it_is_projected_from(seen_from):
    camera = c_arm(
        30, -15, seen_from=seen_from, pixel_spacing_mm=(0.5, 0.8), principal_point_px=(40.0, 333.0)
    )
    pixels = np.array([[0.0, 0], [300, 0], [0, 400], [123.4, 56.7]])
    places = camera.on_detector(pixels)
    np.testing.assert_allclose(camera.project(places), pixels, atol=1e-9)
    depth = (places - camera.source_ras_mm) @ camera.axes_ras[2]
    np.testing.assert_allclose(depth, 1000)
    assert np.linalg.norm(places[1] - places[0]) == pytest.approx(300 * 0.8)
    assert np.linalg.norm(places[2] - places[0]) == pytest.approx(400 * 0.5)
    assert np.linalg.det(camera.pixel_to_ras[:3, :3]) == pytest.approx(0.5 * 0.8)


def test_finer_pixels_are_put_together_to_the_old_ones_and_see_the_same():
    camera = c_arm(20, size=(400, 300))
    finer = camera.finer(2)
    assert finer.coarser(2).size == camera.size == (400, 300)
    np.testing.assert_allclose(finer.coarser(2).matrix, camera.matrix)
    np.testing.assert_allclose((finer.project(HEAD) + 0.5) / 2 - 0.5, camera.project(HEAD))
