from __future__ import annotations

import numpy as np
import pytest

from geometry.rotations import angle_degrees, random_rotation
from geometry.solids import hand
from mri2mesh.geometry.transforms import (
    apply,
    frame,
    rigid_fit,
    rigid_inverse,
    rotation_about,
    rotation_between,
    similarity_fit,
    translation,
)


def test_a_quarter_turn_about_z_takes_right_to_front_and_leaves_the_axis() -> None:
    turn = rotation_about([0, 0, 5], 90, point=[1, 2, 0])
    np.testing.assert_allclose(apply(turn, [[2, 2, 7], [1, 2, -3]]), [[1, 3, 7], [1, 2, -3]], atol=1e-12)


def test_a_rigid_fit_recovers_a_known_move() -> None:
    rng = np.random.default_rng(0)
    move = translation([5, -7, 90]) @ random_rotation(rng)
    source = hand().vertices
    np.testing.assert_allclose(rigid_fit(source, apply(move, source)), move, atol=1e-9)


def test_a_similarity_fit_recovers_a_known_scale_too() -> None:
    rng = np.random.default_rng(1)
    move = translation([5, -7, 90]) @ random_rotation(rng) @ np.diag([1.37, 1.37, 1.37, 1.0])
    source = hand().vertices
    np.testing.assert_allclose(similarity_fit(source, apply(move, source)), move, atol=1e-9)


def test_a_mirrored_target_is_met_by_a_rotation_never_a_reflection() -> None:
    source = hand().vertices
    for fit in (rigid_fit, similarity_fit):
        assert np.linalg.det(fit(source, source * [-1, 1, 1])[:3, :3]) > 0


def test_a_point_of_no_weight_does_not_pull() -> None:
    source = hand().vertices.astype(float)
    target = source + [1, 2, 3]
    target[0] += 100
    weights = np.ones(len(source))
    weights[0] = 0
    np.testing.assert_allclose(rigid_fit(source, target, weights), translation([1, 2, 3]), atol=1e-9)
    assert np.abs(rigid_fit(source, target) - translation([1, 2, 3])).max() > 0.1


def test_planar_points_are_fitted_without_a_flip() -> None:
    source = np.array([[0, 0, 0], [3, 0, 0], [0, 2, 0], [1, 1, 0.0]])
    move = random_rotation(np.random.default_rng(3))
    np.testing.assert_allclose(rigid_fit(source, apply(move, source)), move, atol=1e-9)


def test_fits_refuse_points_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="matching"):
        rigid_fit(np.zeros((4, 3)), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="coincide"):
        similarity_fit(np.ones((4, 3)), np.zeros((4, 3)))


def test_the_angle_and_the_inverse_of_a_rotation_are_its_own() -> None:
    move = translation([1, 2, 3]) @ rotation_about([1, 1, 0], 33)
    assert angle_degrees(move) == pytest.approx(33)
    np.testing.assert_allclose(rigid_inverse(move) @ move, np.eye(4), atol=1e-12)


def test_the_rotation_between_two_directions_takes_one_to_the_other() -> None:
    for a, b in (([1, 2, 3], [-2, 0, 5]), ([0, 0, 1], [0, 0, -4]), ([1, 0, 0], [2, 0, 0])):
        turned = apply(rotation_between(a, b), np.array(a) / np.linalg.norm(a))
        np.testing.assert_allclose(turned, np.array(b) / np.linalg.norm(b), atol=1e-12)


def test_a_frame_is_right_handed_with_its_z_given_and_its_y_near() -> None:
    local_to_ras = frame([1, 2, 3], z=[0, 1, 5], y=[0, 3, 0])
    assert np.linalg.det(local_to_ras[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(local_to_ras[:3, 0], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(local_to_ras[:3, 2], np.array([0, 1, 5]) / np.sqrt(26))
    np.testing.assert_array_equal(apply(local_to_ras, [0, 0, 0]), [1, 2, 3])
    with pytest.raises(ValueError, match="parallel"):
        frame([0, 0, 0], [0, 0, 1], [0, 0, 2])
