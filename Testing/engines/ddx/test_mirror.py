"""A film and its mirror image show the same bones, left for right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.engines.ddx.inputs import camera_channels, mirrored_channels
from mri2mesh.engines.ddx.mirror import maps_of_both, mirrored_maps
from mri2mesh.engines.ddx.networks.stored import load_network, new_network
from mri2mesh.engines.dense_maps.film import NetworkFilm
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import BoneMaps, maps_of
from mri2mesh.engines.dense_maps.network import GRID
from mri2mesh.geometry.xray_camera import XrayCamera

DEEP = Reference(1000.0)


def camera(principal_column: float = 40.0) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(4.5, 4.5),
        size=(64, 96),
        primary_angle_deg=180.0,
        secondary_angle_deg=0.0,
        principal_point_px=(principal_column, 31.5),
    )


@pytest.fixture(scope="module")
def film() -> NetworkFilm:
    pixels = np.random.default_rng(0).normal(size=(64, 96)).astype(np.float32)
    shown = np.ones((64, 96), bool)
    shown[:, :8] = False
    return NetworkFilm(pixels, camera(), shown)


def test_the_mirror_image_has_the_channels_of_a_camera_whose_middle_is_on_the_other_side():
    straight = camera_channels(camera(40.0), DEEP)
    other = camera_channels(camera(95.0 - 40.0), DEEP)
    np.testing.assert_allclose(mirrored_channels(straight), other, atol=1e-5)


def test_a_film_and_its_mirror_image_have_maps_that_are_mirror_images(film: NetworkFilm):
    # Holds whatever the network has learned, for both films are asked of it both ways round.
    torch.manual_seed(3)
    network = new_network((16,) * 5).eval()
    channels = camera_channels(film.camera.coarser(GRID), DEEP)
    turned = replace(film, film=film.film[:, ::-1].copy(), shown=film.shown[:, ::-1].copy())
    straight = maps_of_both(network, film, channels, DEEP.depth_mm)
    other = mirrored_maps(maps_of_both(network, turned, mirrored_channels(channels), DEEP.depth_mm))
    np.testing.assert_allclose(straight.presence, other.presence, atol=1e-4)
    np.testing.assert_allclose(straight.depth_mm, other.depth_mm, rtol=1e-4)
    np.testing.assert_allclose(straight.places_mm, other.places_mm, atol=1e-2)
    assert straight.shown is not None
    assert other.shown is not None
    assert (straight.shown == other.shown).all()
    # One look alone is not so: the network is not symmetric of itself.
    once = maps_of(network, film, channels, DEEP.depth_mm)
    assert np.abs(once.presence - straight.presence).max() > 1e-3


def test_left_bones_of_the_mirror_image_are_right_bones_and_the_sacrum_stays():
    size = (4, 6)
    presence = np.zeros((len(BONES), *size), np.float32)
    for k in range(len(BONES)):
        presence[k, 0, k] = 1.0
    places = np.zeros((len(BONES), 2, 3, *size), np.float32)
    places[BONES.index("hip_left"), :, 0] = -80.0  # left is at negative x
    maps = BoneMaps(presence, np.zeros((len(BONES), 2, *size), np.float32), places, camera())
    turned = mirrored_maps(maps)
    for name, opposite in zip(
        BONES, ("hip_right", "hip_left", "sacrum", "femur_right", "femur_left"), strict=True
    ):
        column = size[1] - 1 - BONES.index(name)
        assert turned.presence[BONES.index(opposite), 0, column] == 1.0
    assert (turned.places_mm[BONES.index("hip_right"), :, 0] == 80.0).all()


def test_the_mean_bones_of_the_shipped_network_are_each_others_mirror_images():
    # That is what lets places of one side stand for those of the other.
    places = load_network().places
    left, right = places[places[:, 0] < -40], places[places[:, 0] > 40]
    np.testing.assert_allclose(left.mean(axis=0) * [-1, 1, 1], right.mean(axis=0), atol=3.0)
