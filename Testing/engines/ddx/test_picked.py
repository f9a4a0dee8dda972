"""What the network sees of a bone whose landmarks were picked: turned, of unknown scale, and among other bones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork, load_network
from mri2mesh.engines.ddx.picked import laid_on, rays_in, see_picked
from mri2mesh.engines.dense_maps.film import scaled
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.engines.dense_maps.turned import turned
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.samples import HIPS_FRONT

FEMUR = BONES.index("femur_right")


@pytest.fixture(scope="module")
def model() -> ShapeModel:
    return read_shape_model("femur_right")


@pytest.fixture(scope="module")
def network() -> TrainedNetwork:
    return load_network()


def camera(spacing: float = 0.5) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000.0,
        source_to_isocentre_mm=700.0,
        pixel_spacing_mm=(spacing, spacing),
        size=(600, 600),
    )


def marks_of(
    model: ShapeModel, view: XrayCamera, degrees: float, larger: float
) -> dict[str, tuple[float, float]]:
    """The landmarks of the mean bone, so many times as large, where it stands at the isocentre, turned clockwise."""
    names = ("femoral_head_centre_right", "greater_trochanter_right", "lesser_trochanter_right")
    flat = model.mean - model.mean[model.landmarks[names[0]]].mean(axis=0)
    flat = larger * flat * [1.0, 0.0, 1.0]  # in the plane of the isocentre
    about = np.cross(view.axes_ras[0], view.axes_ras[1])
    flat = Rotation.from_rotvec(np.radians(degrees) * about).apply(flat)
    return {name: tuple(view.project(flat[model.landmarks[name]].mean(axis=0))) for name in names}


@pytest.mark.parametrize(("degrees", "larger"), [(0.0, 1.0), (35.0, 1.3), (-20.0, 0.8)])
def test_landmarks_say_how_a_bone_is_turned_and_how_large_it_is(
    model: ShapeModel, degrees: float, larger: float
):
    view = camera()
    laid = laid_on(view, 700.0, model, marks_of(model, view, degrees, larger))
    assert laid.degrees == pytest.approx(degrees, abs=1e-6)
    assert laid.larger == pytest.approx(larger, rel=1e-6)
    head = laid.pixels[model.landmarks["femoral_head_centre_right"]].mean(axis=0)
    np.testing.assert_allclose(head, view.project(np.zeros(3)), atol=1e-6)


def test_a_larger_and_turned_world_shows_the_same_rays():
    _, other = turned(np.zeros((600, 600)), scaled(camera(), 1.7), 25.0, 0.0)
    points = np.array([[20.0, 10.0, -30.0], [-40.0, 0.0, 15.0]])
    pixels = camera().project(points)
    np.testing.assert_allclose(rays_in(other, camera(), pixels), other.project(1.7 * points), atol=1e-9)


@pytest.fixture(scope="module")
def film() -> Radiograph:
    return read_radiograph(HIPS_FRONT)


PICKED = {
    "femoral_head_centre_right": (88.0, 175.0),
    "greater_trochanter_right": (63.0, 164.0),
    "lesser_trochanter_right": (94.0, 214.0),
}
"""Column and row in the sample film."""


def test_a_turned_film_without_a_scale_shows_the_bone_as_the_film_does(
    film: Radiograph, network: TrainedNetwork, model: ShapeModel
):
    reference = reference_of(film.geometry, None, "")
    straight = see_picked(film, network, reference, model, PICKED)
    assert straight is not None
    # the film turned by a quarter, its scale not known, its landmarks turned with it
    last = film.pixels.shape[1] - 1
    spacing = film.geometry.pixel_spacing_mm.value
    askew = replace(
        film,
        pixels=np.ascontiguousarray(np.rot90(film.pixels)),
        geometry=film.geometry.with_values("default", pixel_spacing_mm=(3 * spacing[0], 3 * spacing[1])),
    )
    marks = {name: (row, last - column) for name, (column, row) in PICKED.items()}
    found = see_picked(askew, network, reference, model, marks)
    assert found is not None
    rows, columns = np.indices(film.pixels.shape)
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=1)
    masks = []
    for seen, radiograph, where in (
        (straight, film, pixels),
        (found, askew, np.stack([pixels[:, 1], last - pixels[:, 0]], axis=1)),
    ):
        column, row = rays_in(seen.maps.camera, radiograph.camera, where).T
        masks.append(map_coordinates(seen.maps.presence[FEMUR], [row, column], order=1) > 0.5)
    assert masks[0].sum() > 1500
    assert 2 * (masks[0] & masks[1]).sum() / (masks[0].sum() + masks[1].sum()) > 0.9


def test_nothing_far_from_the_landmarks_is_the_bone(
    film: Radiograph, network: TrainedNetwork, model: ShapeModel
):
    reference = reference_of(film.geometry, None, "")
    elsewhere = {name: (column + 120.0, row) for name, (column, row) in PICKED.items()}
    seen = see_picked(film, network, reference, model, elsewhere)
    assert seen is not None
    assert (seen.maps.presence[FEMUR] > 0.5).sum() < 100


def test_one_landmark_or_a_view_from_the_side_says_nothing(
    film: Radiograph, network: TrainedNetwork, model: ShapeModel
):
    one = dict(list(PICKED.items())[:1])
    assert see_picked(film, network, reference_of(film.geometry, None, ""), model, one) is None
    side = replace(film, geometry=film.geometry.with_values("user", primary_angle_deg=90.0))
    assert see_picked(side, network, reference_of(film.geometry, None, ""), model, PICKED) is None
