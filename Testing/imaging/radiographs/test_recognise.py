"""Radiographs in words."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.recognise import describe_radiograph, view
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry

PIXELS = np.zeros((40, 50), np.float32)


@pytest.mark.parametrize(("primary", "secondary", "name"), [
    (0, 0, "PA"), (-12, 10, "PA"), (180, 0, "AP"), (-175, 0, "AP"), (90, 0, "left lateral"),
    (-85, 5, "right lateral"), (45, 0, "oblique"), (0, 30, "oblique"),
])  # fmt: skip
def test_the_view_follows_from_the_angles(primary, secondary, name):
    angles = {"primary_angle_deg": float(primary), "secondary_angle_deg": float(secondary)}
    assert view(assumed_geometry((40, 50)).with_values("user", **angles)) == name


def test_an_assumed_geometry_says_so_and_the_scale_is_unknown():
    assert describe_radiograph(Radiograph(PIXELS, assumed_geometry((40, 50)), "display")) == (
        "AP radiograph (primary 180°, secondary 0° assumed), source to detector 1000 mm assumed, scale unknown"
    )


def test_every_value_says_where_it_comes_from():
    geometry = assumed_geometry((40, 50), "c-arm").with_values(
        "tag", source_to_detector_mm=1020.0, primary_angle_deg=0.0
    )
    geometry = geometry.with_values("calibrated", pixel_spacing_mm=(0.2, 0.2))
    radiograph = Radiograph(PIXELS, geometry, "logarithmic", metadata={"modality": "XA", "frame": "3 of 7"})
    assert describe_radiograph(radiograph) == (
        "XA, PA radiograph (primary 0° from tags, secondary 0° assumed), frame 3 of 7, "
        "source to detector 1020 mm from tags, pixels of 0.200 mm at the detector, calibrated"
    )
