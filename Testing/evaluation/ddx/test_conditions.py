"""Films off the standard: the patient turned, the distance believed wrongly, people of labelled CT volumes."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.evaluation.ddx.conditions import turned, wrong_distance
from mri2mesh.evaluation.ddx.labelled import AIR, FEMUR, MARROW, MUSCLE, PELVIS, labelled_film, pseudo_ct
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.posed_region import PosedRegion
from mri2mesh.synthesis.films.views import View

HIPS = np.array([[-90.0, 10.0, 5.0], [90.0, 10.0, 5.0]])
REGION = PosedRegion(np.zeros((3, 3), np.float32), 3, HIPS, np.zeros((2, 3)))
CAMERA = XrayCamera.from_c_arm(
    source_to_detector_mm=1150.0,
    source_to_isocentre_mm=1000.0,
    pixel_spacing_mm=(3.0, 3.0),
    size=(128, 128),
    primary_angle_deg=180.0,
)


@pytest.mark.parametrize("axis", [0, 2])
def test_a_turn_is_about_the_hips_and_of_so_many_degrees(axis: int):
    camera = turned(View(CAMERA, False, "table"), REGION, axis, 20.0).camera
    cosine = camera.axes_ras[2] @ CAMERA.axes_ras[2]
    assert np.degrees(np.arccos(cosine)) == pytest.approx(20.0)
    middle = HIPS.mean(axis=0)
    np.testing.assert_allclose(camera.project(middle), CAMERA.project(middle), atol=1e-9)


def test_a_wrong_distance_moves_the_source_and_leaves_the_detector():
    wrong = wrong_distance(CAMERA, 1.1)
    assert wrong.source_to_detector_mm == pytest.approx(1265.0)
    np.testing.assert_allclose(wrong.on_detector([10, 20]), CAMERA.on_detector([10, 20]), atol=1e-9)


@pytest.fixture(scope="module")
def labels() -> Volume:
    """Two thigh bones that end in a pelvis, and muscle around them; 4 mm voxels, both sides alike."""
    k, j, i = np.mgrid[0:60, 0:50, 0:100]
    array = np.zeros(k.shape, np.uint8)
    for middle in (25, 74):
        away = np.hypot(i - middle, j - 25)
        array[(away < 14) & (k < 45)] = 6
        array[(away < 5) & (k < 40)] = FEMUR
    array[(k >= 41) & (k < 56) & (np.abs(i - 49.5) < 35) & (np.abs(j - 25) < 10)] = PELVIS
    return Volume(array, np.diag([4.0, 4.0, 4.0, 1.0]))


def test_a_pseudo_ct_has_air_outside_muscle_around_bone_and_a_shell_on_it(labels: Volume):
    hu = pseudo_ct(labels)
    assert (hu[:, 0, 0] == AIR).all()
    assert np.median(hu[labels.array == 6]) == pytest.approx(MUSCLE, abs=30)
    inner = hu[10:30, 24:27, 24:27]
    assert inner.mean() == pytest.approx(MARROW, abs=60)
    assert hu[10:30, 25, 29].mean() > MARROW + 400
    assert (hu[5, 25, 45:54] == AIR).all()  # between the thighs


def test_its_film_shows_both_femora_on_their_sides(labels: Volume):
    film = labelled_film(labels, "made up")
    left, right = film.true["femur_left"], film.true["femur_right"]
    assert left.vertices[:, 0].max() < right.vertices[:, 0].min()  # +x is the patient's right
    column, row = film.case.camera.project(left.vertices.mean(axis=0))
    assert column > film.case.camera.size[1] / 2  # on the right of the film
    water = film.case.tissue.astype(float)
    assert water[int(row), int(column)] > 60.0
