"""Simulated radiographs: Beer-Lambert where nothing else is asked for, the right way round, as noisy as asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.single_bone import XraySettings, radiograph, shrunk, thickness

IDEAL = XraySettings(
    cortex_per_mm=0.02, spongy_per_mm=0.02, photons=1e14, scatter=0.0, blur_mm=0.0, body_mm=None
)
"""No scatter, blur, soft tissue or visible noise, and bone of one density."""


def camera(primary_angle_deg: float = 180.0, pixels: int = 60) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=800,
        pixel_spacing_mm=(120 / pixels, 120 / pixels),
        size=(pixels, pixels),
        primary_angle_deg=primary_angle_deg,
    )


def box(low: tuple[float, ...], high: tuple[float, ...]) -> Mesh:
    solid = trimesh.creation.box(bounds=[low, high])
    return Mesh(np.asarray(solid.vertices, np.float32), np.asarray(solid.faces, np.int64))


def ball(radius: float = 25.0) -> Mesh:
    solid = trimesh.creation.icosphere(4, radius)
    return Mesh(np.asarray(solid.vertices, np.float32), np.asarray(solid.faces, np.int64))


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_slab_in_air_absorbs_by_its_thickness_along_each_ray():
    image = radiograph([box((-20, -15, -20), (20, 15, 20))], camera(), seeded(), IDEAL)
    assert image[0, 0] == pytest.approx(0.0, abs=1e-5)
    # 30 mm, a little more for rays that cross it at an angle
    assert image[29:31, 29:31].mean() == pytest.approx(0.02 * 30.0, rel=1e-4)
    slanted = 0.02 * 30.0 * np.hypot(1, (38 - 29.5) * 2 / 1000)
    assert image[30, 38] == pytest.approx(slanted, rel=1e-3)


def test_bones_that_overlap_in_the_image_add_up():
    front, back = box((-20, 10, -20), (20, 15, 20)), box((-20, -15, -20), (20, -10, 20))
    alone = [radiograph([bone], camera(), seeded(), IDEAL) for bone in (front, back)]
    both = radiograph([front, back], camera(), seeded(), IDEAL)
    np.testing.assert_allclose(both, alone[0] + alone[1], atol=1e-4)


@pytest.mark.parametrize("primary_angle_deg", [180.0, 0.0])
def test_the_left_of_the_patient_is_on_the_right_of_the_image_and_the_head_is_up(primary_angle_deg):
    """Patient RAS: left is negative x."""
    image = radiograph([box((-40, -5, 20), (-20, 5, 40))], camera(primary_angle_deg), seeded(), IDEAL)
    rows, columns = np.nonzero(image > 0.05)
    assert columns.min() > 30 and rows.max() < 30


def test_the_cortex_makes_a_rim_that_a_solid_bone_does_not_have():
    solid = radiograph([ball()], camera(pixels=120), seeded(), IDEAL)
    hollow = radiograph([ball()], camera(pixels=120), seeded(), replace(IDEAL, spongy_per_mm=0.002))
    assert solid[60].argmax() in range(50, 70)
    assert hollow[60].max() > 2 * hollow[60, 60]
    assert abs(int(hollow[60].argmax()) - 60) > 20


@pytest.mark.parametrize("photons", [500.0, 20_000.0])
def test_noise_is_that_of_the_photons_which_were_asked_for(photons):
    far_away = [box((-2, -2, -2), (2, 2, 2))]
    image = radiograph(far_away, camera(), seeded(), replace(IDEAL, photons=photons))
    empty = np.exp(-image[:, :25])
    counted = photons * (120 / 60) ** 2
    assert empty.std() / empty.mean() == pytest.approx(counted**-0.5, rel=0.05)


def test_scatter_takes_contrast_away():
    def contrast(scatter: float) -> float:
        image = radiograph([ball()], camera(), seeded(), replace(IDEAL, scatter=scatter))
        return float(image[30, 30] - image[30, 2])

    none, some, much = (contrast(scatter) for scatter in (0.0, 0.6, 2.0))
    assert none > 1.2 * some > 1.2 * 1.2 * much > 0


def test_blur_widens_an_edge():
    bone = [box((-20, -15, -20), (20, 15, 20))]
    sharp, soft = (
        radiograph(bone, camera(pixels=240), seeded(), replace(IDEAL, blur_mm=blur))[120]
        for blur in (0.0, 2.0)
    )
    between = [int(((row > 0.1) & (row < 0.5)).sum()) for row in (sharp, soft)]
    assert between[0] <= 4 < between[1]


def test_the_body_is_brightest_through_its_middle_and_differs_from_patient_to_patient():
    still = replace(IDEAL, body_mm=(40.0, 30.0), organs=0)
    image = radiograph([box((-1, -1, -1), (1, 1, 1))], camera(), seeded(), still)
    assert image[30, 10:50].argmax() in range(18, 22)
    assert image[10, 29] == pytest.approx(0.0206 * 60, rel=0.01)
    lumpy = replace(still, organs=10)
    one, other = (radiograph([ball()], camera(), seeded(seed), lumpy) for seed in (1, 2))
    assert np.abs(one - other).max() > 0.1


def test_the_same_seed_gives_the_same_radiograph():
    first, same, other = (radiograph([ball()], camera(), seeded(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 0.01
    assert np.isfinite(first).all() and first.dtype == np.float32 and first.min() == 0


def test_bone_outside_the_field_is_not_an_error():
    image = radiograph([box((-300, -5, -10), (0, 5, 10))], camera(), seeded(), IDEAL)
    assert image[30, 45] > 0.15 and image[30, 10] < 1e-3


def test_a_surface_with_a_hole_is_refused():
    whole = ball()
    with pytest.raises(InputError):
        radiograph([Mesh(whole.vertices, whole.faces[1:])], camera(), seeded(), IDEAL)


def test_a_shrunk_ball_is_a_smaller_ball():
    smaller = shrunk(ball(25.0), 2.0)
    np.testing.assert_allclose(np.linalg.norm(smaller.vertices, axis=1), 23.0, atol=0.02)
    assert thickness(smaller, camera()).max() == pytest.approx(46.0, abs=0.3)
