"""All bones of the hip region laid on two views that show them all: each of them is then where it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.articulation import articulated
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.engines.xray_fit.fitting.region import (
    REGION,
    RegionFit,
    fit_region,
    search_region,
)
from mri2mesh.geometry.transforms import apply
from mri2mesh.geometry.xray_camera import XrayCamera

HIPS = Rotation.from_rotvec([[8.0, -4.0, 10.0], [-5.0, 3.0, -8.0]], degrees=True).as_matrix()
BONES = ("hip_left", "hip_right", "sacrum", "femur_left", "femur_right")


def camera(angle: float) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150,
        source_to_isocentre_mm=1000,
        pixel_spacing_mm=(430 / 128, 430 / 128),
        size=(128, 128),
        primary_angle_deg=angle,
    )


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """[V, 3] someone's region with turned hips, lying askew, the hips about in the isocentre."""
    model = articulated(read_shape_model(REGION), HIPS)
    b = np.zeros(len(model.modes))
    b[6:10] = 0.8, -0.6, 0.7, 0.5
    turn = Rotation.from_rotvec([6.0, -3.0, 4.0], degrees=True).as_matrix()
    return model.vertices(b) @ turn.T + [9.0, -6.0, -14.0]


@pytest.fixture(scope="module")
def views(truth) -> list[Observation]:
    model = read_shape_model(REGION)
    bones = Neighbours(truth, model.faces)
    views = []
    for angle in (180.0, 135.0):
        whole, inner = bones.layers(camera(angle))[0].numpy()
        image = (whole - 0.7 * np.minimum(np.maximum(inner, 0), whole)) / 10
        views.append(Observation(camera(angle), image.astype(np.float32), np.ones((128, 128), bool)))
    return views


@pytest.fixture(scope="module")
def found(views) -> RegionFit:
    model = read_shape_model(REGION)
    expected = Parameters.at(torch.eye(3)[None], torch.zeros(1, 3), 1, 2)
    searched = search_region(views, model, "femur_left", expected)
    assert searched.explained > 0.4
    return fit_region(views, model, searched, PriorSettings())


def test_bones_that_something_else_has_placed_are_looked_for_there_alone(views, truth):
    model = read_shape_model(REGION)
    far = Parameters.at(torch.eye(3)[None], torch.full((1, 3), 150.0).double(), 1, 2)
    placed = truth + [8.0, -10.0, 6.0]
    searched = search_region(views, model, "femur_left", far, placed=[placed])
    assert searched.explained > 0.2
    # a film that shows no femur: its rows say nothing, and the pelvis is enough
    placed[model.part_vertices("femur_left")] = np.nan
    assert search_region(views, model, "femur_left", far, placed=[placed]).explained > 0.2


def test_every_bone_in_the_film_is_where_it_is(found, truth):
    model = read_shape_model(REGION)
    shown = truth[:, 2] > -120
    for name in BONES:
        rows = model.part_vertices(name)
        rows = rows[shown[rows]]
        assert np.median(np.linalg.norm(found.vertices[rows] - truth[rows], axis=1)) < 5.0


@pytest.mark.parametrize("name", ["femur_left", "femur_right"])
def test_a_bones_own_model_begins_on_its_bone(found, name):
    model = read_shape_model(name)
    pose, b = found.start_of(model)
    there = found.vertices[found.model.part_vertices(name)]
    assert np.median(np.linalg.norm(apply(pose, model.vertices(b)) - there, axis=1)) < 2.0


def test_a_model_without_correspondence_begins_by_the_landmarks_of_both(found):
    model = read_shape_model("pelvis")
    pose, _ = found.start_of(model)
    for name in ("acetabulum_centre_left", "asis_right", "ischial_spine_left"):
        apart = apply(pose, model.landmark(name)[None])[0] - found.model.landmark(name, found.vertices)
        assert np.linalg.norm(apart) < 12.0


def test_the_other_bones_are_all_but_the_wanted_one(found, views):
    seen = views[0].camera
    everything = Neighbours(found.vertices, found.model.faces).layers(seen)
    femur = found.beside(["hip_left", "hip_right", "sacrum", "femur_right"]).layers(seen)
    rest = found.beside(["femur_left"]).layers(seen)
    torch.testing.assert_close(femur + rest, everything, rtol=0, atol=0.02)
    assert float(femur[0, 0].max()) > 10
