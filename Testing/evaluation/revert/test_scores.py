"""Scores of vertebrae against values that can be worked out by hand, and what a wrong idea of the camera does."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.anatomy.templates import template
from mri2mesh.errors import InputError
from mri2mesh.evaluation.revert.conditions import evaluate_conditions, further, noisy, turned
from mri2mesh.evaluation.revert.films import MeasuredFilm
from mri2mesh.evaluation.revert.scores import ALIGNMENTS, dice_of, scores_of
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import apply, rotation_about
from mri2mesh.geometry.xray_camera import XrayCamera

BEAM = np.array([0.0, -1.0, 0.0])


@pytest.fixture(scope="module")
def vertebra() -> Mesh:
    found = template("vertebra")
    return Mesh(found.vertices, found.faces)


def moved(mesh: Mesh, by: np.ndarray) -> Mesh:
    return Mesh((mesh.vertices + by).astype(np.float32), mesh.faces)


def test_the_truth_scores_perfectly(vertebra: Mesh):
    for score in scores_of(vertebra, vertebra, BEAM).values():
        assert score.dice > 0.97
        assert score.assd < 0.1
        assert score.hd95 < 0.2


def test_a_shift_is_told_along_and_across_the_beam_and_alignment_takes_it_off(vertebra: Mesh):
    scores = scores_of(moved(vertebra, np.array([3.0, -8.0, 0.0])), vertebra, BEAM)
    assert list(scores) == list(ALIGNMENTS)
    assert scores["as placed"].along_mm == pytest.approx(8.0, abs=0.6)
    assert scores["as placed"].across_mm == pytest.approx(3.0, abs=0.6)
    order = [scores[name].assd for name in ("as placed", "depth corrected", "rigid")]
    assert order[0] > order[1] > order[2]
    assert scores["rigid"].assd < 0.3


def test_size_goes_with_similarity_alone(vertebra: Mesh):
    middle = vertebra.vertices.mean(axis=0)
    larger = Mesh((middle + 1.1 * (vertebra.vertices - middle)).astype(np.float32), vertebra.faces)
    scores = scores_of(larger, vertebra, BEAM)
    assert scores["rigid"].assd > 0.8
    assert scores["similarity"].assd < 0.3


def test_dice_of_two_cubes_is_that_of_their_overlap():
    corners = np.array([[x, y, z] for x in (0, 20.0) for y in (0, 20.0) for z in (0, 20.0)])
    faces = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
         [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
    )  # fmt: skip
    cube = Mesh(corners.astype(np.float32), faces)
    assert dice_of(cube, moved(cube, np.array([10.0, 0, 0]))) == pytest.approx(0.5, abs=0.03)


@pytest.fixture
def film() -> MeasuredFilm:
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1100.0,
        source_to_isocentre_mm=900.0,
        pixel_spacing_mm=(2.0, 2.0),
        size=(64, 64),
        primary_angle_deg=180.0,
    )
    return MeasuredFilm("nobody", "ap", np.ones((64, 64), np.float32), camera, {}, {"L3": np.zeros(3)})


def test_a_camera_that_is_believed_to_be_turned_looks_at_the_same_place(film: MeasuredFilm):
    other = turned(film, 10.0).camera
    np.testing.assert_allclose(other.project(np.zeros(3)), film.camera.project(np.zeros(3)), atol=1e-6)
    assert np.degrees(np.arccos(other.axes_ras[2] @ film.camera.axes_ras[2])) == pytest.approx(10.0)
    point = np.array([20.0, 5.0, 30.0])
    there = apply(rotation_about((0, 0, 1), 10.0), point[None])
    np.testing.assert_allclose(other.project(there)[0], film.camera.project(point), atol=1e-6)


def test_a_wrong_distance_leaves_the_detector_where_it_is(film: MeasuredFilm):
    other = further(film, 1.05).camera
    for camera in (film.camera, other):
        detector = camera.source_ras_mm + camera.source_to_detector_mm * camera.axes_ras[2]
        np.testing.assert_allclose(detector, [0, -200.0, 0], atol=1e-6)
    assert noisy(film).image.shape == (64, 64)


def test_an_unknown_condition_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no condition is called 'sideways': use some of standard, tools"):
        evaluate_conditions(("sideways",), tmp_path, tmp_path, films=1)
