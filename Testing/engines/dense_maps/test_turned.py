"""A turned radiograph and its camera agree: points are seen where they are shown."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.dense_maps.turned import turned
from mri2mesh.geometry.xray_camera import XrayCamera

POINTS = np.array([[40.0, 20.0, 50.0], [-60.0, -30.0, 10.0], [20.0, 0.0, -50.0]])


def camera() -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000.0,
        source_to_isocentre_mm=700.0,
        pixel_spacing_mm=(1.6, 1.3),
        size=(220, 260),
        principal_point_px=(118.0, 103.0),
    )


def spots(view: XrayCamera) -> np.ndarray:
    row, column = np.mgrid[: view.size[0], : view.size[1]]
    return np.max([np.exp(-((column - x) ** 2 + (row - y) ** 2) / 18) for x, y in view.project(POINTS)], 0)


@pytest.mark.parametrize("degrees", [0.0, 30.0, -75.0, 180.0])
def test_the_turned_camera_finds_every_point_where_the_turned_image_shows_it(degrees: float):
    image, view = turned(spots(camera()), camera(), degrees, 0.0)
    np.testing.assert_allclose(view.axes_ras @ view.axes_ras.T, np.eye(3), atol=1e-12)
    for column, row in view.project(POINTS):
        assert image[round(row), round(column)] > 0.9


def test_what_lay_at_an_angle_lies_along_the_columns():
    along = camera().axes_ras[0] * np.cos(np.radians(25)) + camera().axes_ras[1] * np.sin(np.radians(25))
    _, view = turned(spots(camera()), camera(), 25.0, 0.0)
    np.testing.assert_allclose(view.axes_ras[0], along, atol=1e-12)


def test_beyond_the_image_is_what_was_asked_for():
    image, _ = turned(np.ones(camera().size), camera(), 45.0, -3.0)
    assert image[0, 0] == -3.0
    assert image[110, 130] == 1.0
