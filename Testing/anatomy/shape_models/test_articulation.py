"""Hips that turn: about their own centres, by the angles that are asked for, with the pelvis at rest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.articulation import JOINT_MODES, TURN_SD_DEG, articulated, turned_by
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel


@pytest.fixture(scope="module")
def joint() -> ShapeModel:
    return read_shape_model("pelvis_femur")


def test_a_mode_of_the_left_hip_turns_the_left_femur_alone(joint):
    model = articulated(joint)
    small = 0.05
    b = np.zeros(JOINT_MODES)
    b[0] = small
    moved = model.vertices(b) - model.mean
    femur = model.part_vertices("femur_left")
    rest = np.setdiff1d(np.arange(len(moved)), femur)
    assert np.abs(moved[rest]).max() < 1e-9
    assert np.abs(moved[model.landmarks["femoral_head_centre_left"]].mean(0)).max() < 1e-6
    arm = model.mean[femur] - model.landmark("femoral_head_centre_left")
    turn = Rotation.from_rotvec([small * TURN_SD_DEG[0], 0, 0], degrees=True)
    np.testing.assert_allclose(moved[femur], turn.apply(arm) - arm, atol=0.05)


def test_flexion_brings_the_knee_forward_and_shapes_turn_along(joint):
    turns = Rotation.from_rotvec([[30.0, 0, 0], [0, 0, 0]], degrees=True).as_matrix()
    model = articulated(joint, turns)
    knee = "medial_condyle_distal_left"
    assert (model.landmark(knee) - joint.landmark(knee))[1] > 150  # RAS: forward
    np.testing.assert_allclose(
        model.landmark("medial_condyle_distal_right"), joint.landmark("medial_condyle_distal_right")
    )
    b = np.zeros(JOINT_MODES + 3)
    b[JOINT_MODES:] = 1.5, -1.0, 0.5
    rows = joint.part_vertices("femur_left")

    def about_the_head(shape):
        return shape[rows] - shape[joint.landmarks["femoral_head_centre_left"]].mean(0)

    straight = about_the_head(joint.vertices(b[JOINT_MODES:]))
    np.testing.assert_allclose(about_the_head(model.vertices(b)), straight @ turns[0].T, atol=1e-3)


def test_the_turns_that_a_fit_found_are_added_to_those_before():
    before = np.stack([Rotation.from_euler("x", 10, degrees=True).as_matrix(), np.eye(3)])
    after = turned_by(before, np.array([1.0, 0, 0, 0, 0, -1.0]))
    angles = Rotation.from_matrix(after).as_rotvec(degrees=True)
    np.testing.assert_allclose(angles, [[10 + TURN_SD_DEG[0], 0, 0], [0, 0, -TURN_SD_DEG[2]]], atol=1e-9)
