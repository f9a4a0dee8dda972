"""Crops keep the camera right: what lies in them projects where it is seen, and comes back to patient millimetres."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.revert.crop import (
    FIELD_MM,
    Crop,
    camera_numbers,
    crop_camera,
    decode,
    encode,
    flipped,
    resampled,
)
from mri2mesh.geometry.xray_camera import XrayCamera

POINTS = np.random.default_rng(0).normal(0, 15.0, (80, 3)) + [25.0, -10.0, 40.0]


def film_camera(primary: float = 160.0, size: int = 256) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1100.0,
        source_to_isocentre_mm=900.0,
        pixel_spacing_mm=(1.5, 1.5),
        size=(size, size),
        primary_angle_deg=primary,
        secondary_angle_deg=12.0,
    )


def crop_of(camera: XrayCamera, off_mm: float = 0.0, size: int = 96) -> Crop:
    middle = POINTS.mean(0)
    distance = float(np.linalg.norm(middle - camera.source_ras_mm)) + off_mm
    own = crop_camera(camera, camera.project(middle), distance, size)
    return Crop(np.zeros((size, size), np.float32), own, 5.0)


@pytest.mark.parametrize("primary", [0.0, 90.0, 160.0, -90.0])
def test_the_middle_of_a_crop_is_where_was_clicked(primary: float):
    camera = film_camera(primary)
    crop = crop_of(camera).camera
    np.testing.assert_allclose(crop.project(POINTS.mean(0)), [47.5, 47.5], atol=1e-6)
    np.testing.assert_allclose(crop.source_ras_mm, camera.source_ras_mm)
    # handed as the film is: columns go the same way, and so do rows
    assert (np.diag(crop.axes_ras @ camera.axes_ras.T) > 0.95).all()
    assert np.linalg.det(crop.axes_ras) == pytest.approx(np.linalg.det(camera.axes_ras))


def test_a_pixel_of_a_crop_is_a_millimetre_of_the_vertebra():
    crop = crop_of(film_camera()).camera
    aside = POINTS.mean(0) + 20.0 * crop.axes_ras[0]
    assert crop.project(aside)[0] - 47.5 == pytest.approx(20.0 * 96 / FIELD_MM)


def test_the_film_is_seen_in_the_crop_where_its_camera_says():
    camera = film_camera()
    film = np.zeros(camera.size, np.float32)
    mark = POINTS.mean(0) + [12.0, 0.0, -20.0]
    column, row = camera.project(mark)
    rows, columns = np.indices(camera.size)
    film = np.exp(-((columns - column) ** 2 + (rows - row) ** 2) / (2 * 3.0**2))
    crop = crop_of(camera).camera
    found = resampled(film, camera, crop)
    r, c = np.unravel_index(found.argmax(), found.shape)
    np.testing.assert_allclose([c, r], crop.project(mark), atol=1.0)


@pytest.mark.parametrize("off", [-30.0, 0.0, 40.0])
def test_points_come_back_as_they_were(off: float):
    crop = crop_of(film_camera(), off)
    coded = encode(crop, POINTS)
    np.testing.assert_allclose(coded.shape.mean(0), 0.0, atol=1e-5)
    np.testing.assert_allclose(decode(crop, coded.shape, coded.centre, coded.depth), POINTS, atol=1e-3)


def test_what_is_seen_does_not_depend_on_the_distance_that_is_assumed():
    """A vertebra twice as far and twice as large looks the same: shape and centre are what is seen, depth is not."""
    camera = film_camera()
    far = camera.source_ras_mm + 1.2 * (POINTS - camera.source_ras_mm)
    here, there = encode(crop_of(camera), POINTS), encode(crop_of(camera), far)
    np.testing.assert_allclose(here.shape, there.shape, atol=1e-4)
    np.testing.assert_allclose(here.centre, there.centre, atol=1e-4)
    assert there.depth - here.depth == pytest.approx(10 * np.log(1.2), abs=1e-4)


def test_a_flipped_image_flips_its_points():
    crop = crop_of(film_camera())
    image = np.random.default_rng(0).normal(size=crop.image.shape).astype(np.float32)
    crop = Crop(image, crop.camera, 5.0)
    other = flipped(crop)
    np.testing.assert_array_equal(other.image, image[:, ::-1])
    plain, mirrored = encode(crop, POINTS), encode(other, POINTS)
    np.testing.assert_allclose(mirrored.shape, plain.shape * [-1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(mirrored.centre, plain.centre * [-1, 1], atol=1e-6)
    np.testing.assert_allclose(other.camera.project(POINTS)[:, 0], 95 - crop.camera.project(POINTS)[:, 0])
    np.testing.assert_allclose(
        decode(other, mirrored.shape, mirrored.centre, mirrored.depth), POINTS, atol=1e-3
    )
    assert not np.allclose(camera_numbers(other), camera_numbers(crop))
    np.testing.assert_allclose(flipped(other).camera.matrix, crop.camera.matrix)


def test_an_unknown_geometry_gives_the_shape_alone():
    crop = Crop(np.zeros((8, 8), np.float32), film_camera(), 0.0, known=False)
    coded = encode(crop, POINTS)
    assert not camera_numbers(crop).any() and not coded.centre.any() and coded.depth == 0.0
    np.testing.assert_allclose(
        decode(crop, coded.shape, coded.centre, 0.0), POINTS - POINTS.mean(0), atol=1e-4
    )
