"""Radiographs as the network takes them: upright, at the right size, seen by the right camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.engines.dense_maps.film import network_film, upright
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera

POINTS = np.array([[60.0, 20.0, 90.0], [-110.0, -30.0, 10.0], [20.0, 0.0, -70.0]])
"""In the patient: on the right and high, far on the left, low."""


def camera(size: tuple[int, int] = (200, 240), spacing: tuple[float, float] = (1.7, 1.5)) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=spacing,
        size=size,
        primary_angle_deg=180.0,
        principal_point_px=(118.0, 93.0),
    )


def picture(view: XrayCamera) -> np.ndarray:
    """Bright spots where the points are."""
    row, column = np.mgrid[0 : view.size[0], 0 : view.size[1]]
    spots = [np.exp(-((column - x) ** 2 + (row - y) ** 2) / 18) for x, y in view.project(POINTS)]
    return np.max(spots, axis=0).astype(np.float32)


def brightest_near(image: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(column, row) of the centre of brightness about there."""
    (x, y), reach = np.rint(at).astype(int), 14
    part = image[y - reach : y + reach + 1, x - reach : x + reach + 1] - image.min()
    row, column = np.mgrid[y - reach : y + reach + 1, x - reach : x + reach + 1]
    return np.array([(part * column).sum(), (part * row).sum()]) / part.sum()


@pytest.mark.parametrize("longer", [128, 192, 256])
def test_the_camera_of_the_networks_film_finds_every_point_where_the_film_shows_it(longer: int):
    view = camera()
    seen = network_film(picture(view), view, longer)
    assert seen.film.shape == seen.camera.size
    assert all(n % 32 == 0 for n in seen.film.shape)
    for place in seen.camera.project(POINTS):
        np.testing.assert_allclose(brightest_near(seen.film, place), place, atol=0.35)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_films_that_were_stored_turned_or_mirrored_are_hung_upright(turns: int, mirrored: bool):
    view = camera()
    image, axes, size = picture(view), view.axes_ras, view.size
    spacing, point = view.pixel_spacing_mm, view.principal_point_px
    if mirrored:
        image, axes = image[:, ::-1], axes * [[-1], [1], [1]]
        point = (size[1] - 1 - point[0], point[1])
    for _ in range(turns):  # a quarter counter-clockwise: what was on the right is on top
        image = np.rot90(image)
        axes = np.stack([axes[1], -axes[0], axes[2]])
        spacing, point, size = spacing[::-1], (point[1], size[1] - 1 - point[0]), size[::-1]
    stored = XrayCamera(view.source_ras_mm, axes, view.source_to_detector_mm, spacing, point, size)
    for place in stored.project(POINTS):
        np.testing.assert_allclose(brightest_near(image, place), place, atol=0.3)
    back, own = upright(image, stored)
    np.testing.assert_array_equal(back, picture(view))
    np.testing.assert_allclose(own.project(POINTS), view.project(POINTS), atol=1e-9)


def test_views_from_the_side_are_hung_with_the_front_on_the_left():
    for angle in (-90.0, 90.0):
        lateral = XrayCamera.from_c_arm(
            source_to_detector_mm=1000.0,
            source_to_isocentre_mm=800.0,
            pixel_spacing_mm=(2.0, 2.0),
            size=(200, 200),
            primary_angle_deg=angle,
        )
        image, own = upright(picture(lateral), lateral)
        front, back = own.project(np.array([[0.0, 50.0, 0.0], [0.0, -50.0, 0.0]]))
        assert front[0] < back[0]
        for place in own.project(POINTS):
            np.testing.assert_allclose(brightest_near(image, place), place, atol=0.3)


def test_a_strip_is_refused():
    with pytest.raises(InputError, match="a strip of 60 x 400 mm"):
        network_film(np.zeros((400, 60)), camera((400, 60), (1.0, 1.0)), 128)


def test_padding_is_not_film():
    view = replace(camera(), size=(200, 240))
    seen = network_film(picture(view), view, 96)
    assert seen.shown.shape == seen.film.shape
    assert seen.shown[0, 0]
    assert not seen.shown[-1].any()


@pytest.mark.parametrize("outside", [-50.0, 0.3, 7.0])
def test_what_lies_outside_the_field_says_nothing_of_the_film(outside: float):
    view = camera()
    row, column = np.mgrid[0 : view.size[0], 0 : view.size[1]]
    field = np.hypot(row - 100, column - 120) < 90
    film = np.where(field, picture(view) + 0.002 * column, outside)
    seen = network_film(film, view, 128, field)
    reference = network_film(np.where(field, film, 0.5), view, 128, field)
    np.testing.assert_array_equal(seen.film, reference.film)
    assert np.ptp(seen.film[seen.shown]) > 1.9  # and its own values fill the scale
    area_mm2 = [
        np.prod(one.pixel_spacing_mm) * part.sum() for one, part in ((seen.camera, seen.shown), (view, field))
    ]
    assert area_mm2[0] == pytest.approx(area_mm2[1], rel=0.02)
    for place in seen.camera.project(POINTS)[:2]:
        column_px, row_px = np.rint(place).astype(int)
        assert seen.shown[row_px, column_px]


def test_a_field_that_is_everywhere_or_nowhere_changes_nothing():
    view = camera()
    plain = network_film(picture(view), view, 128)
    for field in (np.ones(view.size, bool), np.zeros(view.size, bool)):
        seen = network_film(picture(view), view, 128, field)
        np.testing.assert_array_equal(seen.film, plain.film)
        np.testing.assert_array_equal(seen.shown, plain.shown)


def test_the_field_of_a_film_that_was_stored_mirrored_is_turned_with_it():
    view = camera()
    field = np.zeros(view.size, bool)
    field[:, :70] = True
    mirrored = replace(
        view,
        axes_ras=view.axes_ras * [[-1], [1], [1]],
        principal_point_px=(view.size[1] - 1 - view.principal_point_px[0], view.principal_point_px[1]),
    )
    seen = network_film(picture(view)[:, ::-1], mirrored, 96, field[:, ::-1])
    np.testing.assert_array_equal(seen.shown, network_film(picture(view), view, 96, field).shown)
    assert seen.shown[0, 5] and not seen.shown[0, 60]
