"""Local modes: beside the model's own, each of a neighbourhood, as wide as asked for, nearer to whom it never saw."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.anatomy.shape_models.file import read_shape_model, write_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible, with_local_modes
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.transforms import apply, rigid_fit


@pytest.fixture(scope="module")
def vertebra() -> ShapeModel:
    return read_shape_model("L3")


@pytest.fixture(scope="module")
def widened(vertebra) -> ShapeModel:
    return with_local_modes(vertebra, 30, residual_mm=1.5)


def test_the_models_own_modes_stay_and_all_are_orthonormal(vertebra, widened):
    own = len(vertebra.modes)
    np.testing.assert_array_equal(widened.modes[:own], vertebra.modes)
    flat = widened.modes.reshape(len(widened.modes), -1).astype(np.float64)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-4)


def test_local_modes_vary_as_much_as_was_asked_for_the_largest_first(vertebra, widened):
    variances = widened.variances[len(vertebra.modes) :]
    assert widened.local == len(variances) == 30
    assert variances.sum() == pytest.approx(1.5**2 * len(vertebra.mean))
    assert (np.diff(variances) <= 0).all()


def test_the_same_seed_gives_the_same_modes(vertebra, widened):
    again = with_local_modes(vertebra, 30, residual_mm=1.5)
    np.testing.assert_allclose(again.modes, widened.modes, atol=1e-6)


def test_far_places_do_not_move_together(vertebra, widened):
    own = len(vertebra.modes)
    local = widened.modes[own:] * np.sqrt(widened.variances[own:])[:, None, None]
    distance = np.linalg.norm(vertebra.mean - vertebra.mean[0], axis=1)
    covariance = np.einsum("mc,mvd->vcd", local[:, 0], local)
    strength = np.linalg.norm(covariance, axis=(1, 2))
    size = np.linalg.norm(np.ptp(vertebra.mean, axis=0))
    near, far = strength[distance < 0.03 * size], strength[distance > 0.4 * size]
    assert np.sqrt((far**2).mean()) < 0.2 * np.sqrt((near**2).mean())


def test_a_bone_left_out_lies_nearer_to_the_flexible_model_of_the_others(vertebra):
    rest = vertebra.without(0)
    shape = vertebra.vertices(vertebra.scores[0])
    shape = apply(rigid_fit(shape, rest.mean), shape)
    missed = [
        np.sqrt(((model.vertices(model.project(shape, noise_mm=0.5)) - shape) ** 2).sum(1).mean())
        for model in (rest, flexible(rest))
    ]
    assert missed[1] < 0.8 * missed[0]


def test_local_modes_are_not_stored_and_leave_with_a_subject(widened, tmp_path):
    with pytest.raises(ValueError, match="local modes are not stored"):
        write_shape_model(widened, tmp_path / "model.npz")
    rest = widened.without(0)
    assert rest.local == 0
    assert len(rest.modes) < len(widened.modes) - 30 + 1
