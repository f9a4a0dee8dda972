"""The published network among what is measured: from its points to surfaces, and what is missing is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.revert.crop import UNIT_MM, Crop, camera_numbers, decode
from mri2mesh.engines.revert.networks.points_net import PointsNet
from mri2mesh.engines.revert.points import NAME, load_points_net, model_on, points_in
from mri2mesh.errors import InputError
from mri2mesh.evaluation.revert.evaluate import points_rows
from mri2mesh.evaluation.revert.scores import ALIGNMENTS
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.weights import save_weights

BEAM = np.array([0.0, -1.0, 0.0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as `train revert --what points` leaves them, of a network that has learned nothing."""
    torch.manual_seed(0)
    path, network = tmp_path_factory.mktemp("points"), PointsNet(width=8, code=32, points=256)
    save_weights(
        NAME, network.state_dict(), folder=path, licence="CC BY-SA 4.0", origin="nothing",
        metadata={"width": 8, "code": 32, "points": 256},
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def crop() -> Crop:
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=900.0, source_to_isocentre_mm=900.0, pixel_spacing_mm=(1.5, 1.5), size=(96, 96),
        primary_angle_deg=180.0,
    )  # fmt: skip
    return Crop(np.random.default_rng(0).standard_normal((96, 96), np.float32), camera, 5.0)


def test_points_are_those_of_the_network_in_patient_millimetres(folder: Path, crop: Crop):
    network = load_points_net(folder)
    points = points_in(network, [crop, crop])
    assert [one.shape for one in points] == [(256, 3)] * 2
    with torch.inference_mode():
        found = network(
            torch.from_numpy(crop.image)[None, None], torch.from_numpy(camera_numbers(crop))[None]
        )
    expected = decode(crop, found.shape[0].numpy(), found.centre[0].numpy(), float(found.depth[0]))
    np.testing.assert_allclose(points[0], expected, atol=1e-3)
    # Untrained, it draws something like its sphere about where the crop looks.
    assert np.linalg.norm(points[0].mean(axis=0)) < 4 * UNIT_MM


def test_the_shape_model_on_the_points_of_a_vertebra_is_that_vertebra():
    model = read_shape_model("L3")
    rng = np.random.default_rng(1)
    coefficients = np.r_[rng.normal(size=3), np.zeros(len(model.modes) - 3)]
    true = Mesh(model.vertices(coefficients).astype(np.float32), model.faces)
    points = sample_surface(true, 2048, rng)[0] + [30.0, -20.0, 400.0]
    found = model_on(points, model)
    assert point_to_surface(found.vertices - [30.0, -20.0, 400.0], true).mean() < 0.5
    assert found.faces.shape == model.faces.shape


def test_both_surfaces_of_the_points_are_scored_in_every_way(folder: Path, crop: Crop):
    model = read_shape_model("L3")
    true = Mesh(model.mean.astype(np.float32), model.faces)
    rows = list(points_rows(load_points_net(folder), crop, model, true, BEAM))
    assert {(row["method"], row["alignment"]) for row in rows} == {
        (method, alignment) for method in ("points, model", "points, Poisson") for alignment in ALIGNMENTS
    }
    assert all(np.isfinite(float(str(row["assd"]))) for row in rows)


def test_without_weights_the_line_says_so(tmp_path: Path):
    with pytest.raises(InputError, match="revert_points"):
        load_points_net(tmp_path)
