"""The scale from markers of known size, on projections whose scale is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imaging.radiographs.projected_scenes import STEEL_PER_MM, chord, detected, distance_to_line, thigh
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.calibration.calibration import (
    calibrate_intensifier,
    calibrate_length,
    calibrate_sphere,
    calibrate_wire,
    calibrated,
    half_depth_width,
)
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry

MM_PER_PX = 0.45
GEOMETRY = assumed_geometry((512, 512)).with_values(
    "tag", source_to_detector_mm=1000.0, source_to_isocentre_mm=800.0
)


def radiograph_of(attenuation: np.ndarray, **options) -> Radiograph:
    return Radiograph(1 - detected(attenuation, **options), GEOMETRY, "display")


@pytest.mark.parametrize(
    ("per_mm", "blur_px", "within"),
    [(STEEL_PER_MM, 0.8, 0.005), (STEEL_PER_MM, 2.0, 0.01), (0.2, 1.0, 0.02)],
)
def test_a_ball_gives_the_scale_in_its_plane_best_if_it_is_of_metal(per_mm, blur_px, within):
    attenuation, rows, columns = thigh()
    ball = chord(MM_PER_PX * np.hypot(columns - 150.3, rows - 200.8), 12.5)
    radiograph = radiograph_of(attenuation + per_mm * ball, blur_px=blur_px)
    calibration = calibrate_sphere(radiograph, (154.0, 197.0), 24.0, 25.0)
    assert calibration.mm_per_px == pytest.approx(MM_PER_PX, rel=within)
    assert abs(calibration.mm_per_px / MM_PER_PX - 1) < 2 * calibration.relative_uncertainty < 0.03


def test_a_ball_of_pixels_that_are_not_square_gives_both_spacings():
    rows, columns = np.indices((300, 512)).astype(float)
    ball = chord(np.hypot(0.3 * (columns - 250), 0.6 * (rows - 140)), 12.0)
    geometry = assumed_geometry((300, 512)).with_values("user", pixel_spacing_mm=(2.0, 1.0))
    radiograph = Radiograph(1 - detected(STEEL_PER_MM * ball), geometry, "display")
    calibration = calibrate_sphere(radiograph, (252.0, 138.0), 40.0, 24.0)
    found = calibrated(radiograph, calibration, geometry.source_to_detector_mm.value)
    assert found.geometry.pixel_spacing_mm.value == pytest.approx((0.6, 0.3), rel=0.007)


@pytest.mark.parametrize("blur_px", [0.7, 1.5])
@pytest.mark.parametrize("end", [(400.0, 330.0), (420.0, 105.0), (160.0, 450.0)])
def test_a_wire_gives_the_scale_whatever_way_it_points(end, blur_px):
    attenuation, rows, columns = thigh()
    wire = chord(MM_PER_PX * distance_to_line(rows, columns, (150, 100), end), 2.5)
    radiograph = radiograph_of(attenuation + STEEL_PER_MM * wire, blur_px=blur_px)
    picked_start, picked_end = (151.5, 103.0), (end[0] - 1.5, end[1] - 2.0)
    calibration = calibrate_wire(radiograph, picked_start, picked_end, 5.0)
    assert calibration.mm_per_px == pytest.approx(MM_PER_PX, rel=0.04)
    assert abs(calibration.mm_per_px / MM_PER_PX - 1) < 2 * calibration.relative_uncertainty


def test_the_half_depth_of_a_cylinder_lies_further_out_the_more_it_absorbs():
    assert half_depth_width(1 - 1e-6) == pytest.approx(np.sqrt(3) / 2, abs=1e-4)
    assert half_depth_width(1e-300) == pytest.approx(1, abs=1e-4)
    x = np.linspace(-1, 1, 20001)
    beam = np.exp(-2.0 * np.sqrt(1 - x**2))
    inside = x[beam < (1 + np.exp(-2.0)) / 2]
    assert half_depth_width(float(np.exp(-2.0))) == pytest.approx(np.ptp(inside) / 2, abs=1e-3)


def test_a_known_length_gives_the_scale_and_how_well_it_was_picked():
    calibration = calibrate_length(radiograph_of(thigh()[0]), (10.0, 20.0), (40.0, 60.0), 20.0)
    assert calibration.mm_per_px == pytest.approx(0.4)
    assert calibration.relative_uncertainty == pytest.approx(np.sqrt(2) / 50)


def test_a_marker_at_the_isocentre_makes_the_scale_right_there_whatever_its_distance():
    radiograph = radiograph_of(thigh()[0])
    assert not radiograph.scale_known
    calibration = calibrate_length(radiograph, (100.0, 100.0), (200.0, 100.0), 40.0)
    found = calibrated(radiograph, calibration)
    assert found.scale_known and found.geometry.origins["pixel_spacing_mm"] == "calibrated"
    assert found.geometry.pixel_spacing_mm.value == pytest.approx((0.5, 0.5))
    places = found.camera.project([[0.0, 0.0, 0.0], [0.0, 0.0, 40.0]])
    assert np.linalg.norm(places[1] - places[0]) == pytest.approx(100)
    assert calibration.source_to_marker_mm(found.geometry) == pytest.approx(800)
    nearer = calibrated(radiograph, calibration, 640.0)
    assert nearer.geometry.pixel_spacing_mm.value == pytest.approx((0.625, 0.625))


def test_the_rim_of_an_intensifier_gives_the_spacing_at_the_detector():
    attenuation, rows, columns = thigh()
    outside = np.hypot(columns - 255.5, rows - 255.5) > 230
    radiograph = radiograph_of(attenuation + 20 * outside)
    found = calibrated(radiograph, calibrate_intensifier(radiograph, 230.0))
    assert found.geometry.pixel_spacing_mm.value == pytest.approx((0.5, 0.5), rel=0.005)


@pytest.mark.parametrize(("calibrate", "words"), [
    (lambda picture: calibrate_sphere(picture, (100.0, 256.0), 25.0, 25.0), "no round edge"),
    (lambda picture: calibrate_sphere(picture, (float("nan"), 256.0), 25.0, 25.0), "no round edge"),
    (lambda picture: calibrate_sphere(picture, (300.0, 256.0), 20.0, 0.0), "must be positive"),
    (lambda picture: calibrate_wire(picture, (180.0, 100.0), (182.0, 300.0), 2.5), "no dark line"),
    (lambda picture: calibrate_wire(picture, (180.0, 100.0), (182.0, 102.0), 2.5), "longer piece"),
    (lambda picture: calibrate_length(picture, (1.0, 1.0), (5.0, 1.0), 20.0), "longer distance"),
    (lambda picture: calibrate_intensifier(picture, 230.0), "no round field"),
    (lambda picture: calibrated(picture, calibrate_length(picture, (0, 0), (0, 50), 9.0), 1200.0), "between"),
])  # fmt: skip
def test_a_calibration_that_cannot_be_done_says_why(calibrate, words):
    with pytest.raises(InputError, match=words):
        calibrate(radiograph_of(thigh()[0]))


def test_the_guide_wire_of_real_fluoroscopy_agrees_with_the_intensifier(evaluation_data: Path):
    """2.5 mm wire, 229 mm intensifier: the wire must lie where a hip does, well between source and detector."""
    radiograph = read_radiograph(evaluation_data / "hip_fluoroscopy" / "hip_0037.png")
    wires = [
        calibrate_wire(radiograph, *points, 2.5)
        for points in (((400, 763), (700, 374)), ((400, 763), (540, 582)), ((540, 582), (700, 374)))
    ]
    scales = [wire.mm_per_px for wire in wires]
    assert np.ptp(scales) / np.mean(scales) < 0.01
    rim = calibrate_intensifier(radiograph, 229.0)
    assert 1.2 < rim.mm_per_px / scales[0] < 1.8
