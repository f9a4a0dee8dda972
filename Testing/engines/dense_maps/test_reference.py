"""What is taken of the geometry: how deep the bones are expected, and how large the world is."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.dense_maps.film import scaled
from mri2mesh.engines.dense_maps.reference import ASSUMED_SD_MM, ISOCENTRE_SD_MM, reference_of
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry

POINTS = np.array([[60.0, 20.0, 90.0], [-110.0, -30.0, 10.0], [20.0, 0.0, -70.0]])


def test_a_larger_world_gives_the_same_picture():
    view = XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(1.7, 1.5),
        size=(200, 240),
        primary_angle_deg=180.0,
        principal_point_px=(118.0, 93.0),
    )
    np.testing.assert_allclose(scaled(view, 1.4).project(1.4 * POINTS), view.project(POINTS), atol=1e-9)


def test_the_reference_depth_is_as_sure_as_what_it_comes_from():
    assumed = assumed_geometry((100, 100))
    assert reference_of(assumed, None, "--hips-to-detector").depth_mm == pytest.approx(850.0)
    assert reference_of(assumed, None, "--hips-to-detector").sd_mm == ASSUMED_SD_MM
    assert (
        reference_of(assumed.with_values("tag", source_to_isocentre_mm=900.0), None, "-").sd_mm
        == ISOCENTRE_SD_MM
    )
    given = reference_of(assumed, 130.0, "--hips-to-detector")
    assert (given.depth_mm, given.sd_mm) == (870.0, 5.0)
    with pytest.raises(InputError, match="the source is only 1000 mm from the detector"):
        reference_of(assumed, 650.0, "--hips-to-detector")
