"""Key points: the crop's own frame and back, mirrored nowhere, and what is learned of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.engines.revert import key_points
from mri2mesh.engines.revert.crop import Crop, crop_camera
from mri2mesh.engines.revert.depth import at_one_depth, moved_along_rays
from mri2mesh.engines.revert.key_points import COUNT, KEY_VERTICES, NUMBERS, coded, decoded, nothing
from mri2mesh.engines.revert.targets import targets
from mri2mesh.engines.revert.vertebra import SeenVertebra, completed
from mri2mesh.geometry.transforms import apply, rigid_fit, rotation_about
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import surface_truth


@pytest.fixture(scope="module")
def mean() -> np.ndarray:
    return VertebraShapes.load().mean("L3").vertices.astype(np.float64)


@pytest.fixture
def crop() -> Crop:
    film = XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(1.5, 1.5),
        size=(256, 256),
        primary_angle_deg=180.0,
    )
    return Crop(np.zeros((96, 96), np.float32), crop_camera(film, (120.0, 140.0), 1000.0, 96), 5.0)


def test_points_come_back_from_the_numbers_of_a_crop(crop: Crop, mean: np.ndarray):
    points = apply(rotation_about([1, 1, 0], 20.0), mean[KEY_VERTICES]) + [3.0, -5.0, 8.0]
    numbers = coded(crop, points)
    assert numbers.shape == (NUMBERS,)
    np.testing.assert_allclose(decoded(crop, numbers), points, atol=0.01)


def test_they_are_spread_over_the_whole_vertebra(mean: np.ndarray):
    points = mean[KEY_VERTICES]
    assert len(set(KEY_VERTICES.tolist())) == COUNT
    apart = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e3 * np.eye(COUNT)
    assert apart.min() > 8.0
    assert np.linalg.norm(mean[:, None] - points[None], axis=2).min(axis=1).max() < 20.0


def test_crops_without_a_vertebra_have_no_say():
    true = torch.from_numpy(np.stack([np.ones(NUMBERS, np.float32), nothing()]))
    found = torch.zeros(2, NUMBERS, requires_grad=True)
    loss = key_points.loss(found, true)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(3**0.5 + 2**0.5 + 0.25)
    assert found.grad is not None
    assert (found.grad[0] != 0).all()
    assert not found.grad[1].any()
    assert float(key_points.loss(found, true[1:].expand(2, -1))) == 0.0


def test_the_figures_are_millimetres():
    true = torch.zeros(1, NUMBERS)
    found = true.clone()
    found[0, 0] = 0.1  # of one point, 3 mm
    found[0, -3] = 0.2  # of the middle, 6 mm
    figures = key_points.figures(found, true)
    assert figures["points_mm"] == pytest.approx(3.0 / COUNT)
    assert figures["middle_mm"] == pytest.approx(6.0)


def seen(crop: Crop, vertices: np.ndarray) -> SeenVertebra:
    """Perfectly."""
    from mri2mesh.engines.dense_maps.maps import BoneMaps

    shapes, camera = VertebraShapes.load(), crop.camera.coarser(2)
    mean = shapes.mean("L3").vertices.astype(np.float32)
    label = np.zeros(len(shapes.faces), np.int64)
    truth = surface_truth(vertices.astype(np.float32), shapes.faces, label, mean, 1, camera)
    maps = BoneMaps(truth.mask.astype(np.float32), truth.depth, truth.canonical, camera)
    return SeenVertebra(crop, maps, vertices[KEY_VERTICES])


def placed(crop: Crop, mean: np.ndarray) -> np.ndarray:
    """The mean L3 in the middle of the crop, a little turned."""
    camera = crop.camera
    middle = camera.source_ras_mm + camera.source_to_detector_mm * camera.axes_ras[2]
    return np.asarray(apply(rotation_about([1, 0.3, 0.2], 15.0), mean) + middle)


def test_key_points_and_maps_together_give_the_vertebra_back(crop: Crop, mean: np.ndarray):
    true = placed(crop, mean)
    found = completed(seen(crop, true), targets()["L3"], mean, 5.0)
    assert found is not None
    assert np.linalg.norm(found.vertices - true, axis=1).mean() < 1.0


def test_vertebrae_of_a_film_are_put_at_one_depth_and_look_the_same(crop: Crop, mean: np.ndarray):
    model, true = targets()["L3"], placed(crop, mean)
    one = seen(crop, true)
    end = completed(one, model, mean, 5.0)
    assert end is not None
    film = {"L2": (one, end), "L3": (one, end), "L4": moved_along_rays((one, end), 1.03)}
    together = at_one_depth(film)
    deep = {
        name: float((pair[1].vertices.mean(axis=0) - crop.camera.source_ras_mm) @ crop.camera.axes_ras[2])
        for name, pair in together.items()
    }
    assert deep["L3"] == pytest.approx(deep["L2"])
    assert 0 < deep["L4"] - deep["L2"] < 10  # it was 30 mm deeper
    before, after = (crop.camera.project(pair["L4"][1].vertices) for pair in (film, together))
    np.testing.assert_allclose(before, after, atol=1e-6)
    size = rigid_fit(together["L4"][1].vertices, film["L4"][1].vertices)
    assert np.linalg.norm(apply(size, together["L4"][1].vertices) - film["L4"][1].vertices) > 1.0
