"""Starts: from landmarks, from a coarse search, and refused where there can be none."""

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.thigh import THIGH
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.expected import expected_place
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.landmark_term import LandmarkTerm
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters, turn_of
from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.engines.xray_fit.fitting.starts import about_joint, coarse_search, from_landmarks
from mri2mesh.errors import InputError
from mri2mesh.geometry.tensors import rotation_matrix
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.single_bone import thickness


@pytest.fixture(scope="module")
def model() -> ShapeModel:
    return read_shape_model("L3")


@pytest.fixture(scope="module")
def family(model: ShapeModel) -> SurfaceFamily:
    return SurfaceFamily(model)


def camera(angle: float, to_isocentre: float = 800.0) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=to_isocentre,
        pixel_spacing_mm=(3.0, 3.0),
        size=(64, 64),
        primary_angle_deg=angle,
        isocentre_ras_mm=(10.0, -20.0, 30.0),
    )


def blank(angle: float, to_isocentre: float = 800.0) -> Observation:
    return Observation(camera(angle, to_isocentre), np.zeros((64, 64), np.float32), np.ones((64, 64), bool))


def mean_at(place: np.ndarray, family: SurfaceFamily, n_views: int, turn=(0.0, 0.0, 0.0)) -> Parameters:
    rotation = rotation_matrix(torch.tensor([turn], dtype=torch.float64))
    return Parameters.at(rotation, torch.tensor(place, dtype=torch.float64)[None], family.n_modes, n_views)


def test_landmarks_of_two_views_give_the_whole_pose(family):
    truth = mean_at(np.array([22.0, -35.0, 41.0]), family, 2, turn=(0.25, -0.2, 0.3))
    vertices = truth.vertices(family)[0].numpy()
    views, terms = [blank(180), blank(90)], []
    for number, seen in enumerate(views):
        picked = {
            name: tuple(seen.camera.project(vertices[group.numpy()].mean(0)))
            for name, group in family.landmarks.items()
        }
        terms.append(LandmarkTerm(picked, seen.camera, number, family, deviation_mm=0.1))
    expected = mean_at(expected_place(views, [800.0, 800.0]).position, family, 2)
    found = from_landmarks(terms, views, family, expected, PriorSettings(), keep=1)
    assert torch.allclose(found.position, truth.position, atol=0.3)
    assert float(turn_of(found.rotation @ truth.rotation.mT).norm()) < np.radians(0.5)


def test_a_coarse_search_finds_a_shifted_bone(model, family):
    truth = mean_at(np.array([10.0 + 28, -20.0, 30.0 - 31]), family, 1)
    vertices = truth.vertices(family)[0].numpy()
    image = thickness(model.surface(vertices), camera(180)).astype(np.float32)
    seen = Observation(camera(180), image, np.ones((64, 64), bool))
    expected = mean_at(expected_place([seen], [800.0]).position, family, 1)
    found = coarse_search([seen], family, expected, keep=3).parameters
    assert len(found) == 3
    across = (found.position - truth.position)[0, [0, 2]]
    assert float(across.norm()) < 14.2  # no farther than half a cell of the grid is wide


@pytest.mark.parametrize("degrees", [-13.0, 13.0])
def test_a_coarse_search_does_not_slide_a_turned_femur_along_its_shaft(degrees):
    model = read_shape_model("femur_left")
    family = SurfaceFamily(model)
    turn = np.radians(degrees) * THIGH.axes_ras[2]
    truth = mean_at(np.array([9.0, 4.0, -14.0]), family, 1, turn=tuple(turn))
    image = thickness(model.surface(truth.vertices(family)[0].numpy()), THIGH).astype(np.float32)
    seen = Observation(THIGH, image, np.ones(THIGH.size, bool))
    best = coarse_search([seen], family, mean_at(np.zeros(3), family, 1), keep=1).parameters
    assert float((best.position - truth.position)[0, [0, 2]].norm()) < 14.2
    in_plane = turn_of(best.rotation @ truth.rotation.mT)[0] @ torch.from_numpy(THIGH.axes_ras[2])
    assert abs(float(in_plane.rad2deg())) < 6.1


def test_a_bone_around_the_source_is_refused(family):
    near = blank(180, to_isocentre=5.0)
    expected = mean_at(expected_place([near], [5.0]).position, family, 1)
    with pytest.raises(InputError, match="X-ray source"):
        coarse_search([near], family, expected)


def test_a_bone_turns_about_its_joint(family):
    views = [blank(180), blank(135)]
    at = mean_at(np.array([10.0, -20.0, 30.0]), family, 2)
    joint = next(iter(family.landmarks))
    turned = about_joint(at, family, views, joint, (-5.0, 5.0))
    assert len(turned) == 1 + 3 * 2
    places = turned.vertices(family)[:, family.landmarks[joint]].mean(1)
    assert torch.allclose(places, places[:1].expand_as(places))
    angles = turn_of(turned.rotation @ at.rotation.mT).norm(dim=-1).rad2deg()
    assert angles.tolist() == pytest.approx([0.0] + [5.0] * 6)
