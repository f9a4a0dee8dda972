"""Displaced surfaces that the profile network learns from."""

import numpy as np
import pytest

from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.training.profile_samples import Displacer


@pytest.fixture(scope="module")
def displacer() -> Displacer:
    return Displacer(build_graphs()["level"])


@pytest.fixture
def truth(displacer) -> np.ndarray:
    return displacer.graph.vertices.numpy().astype(np.float32)


def test_the_same_generator_gives_the_same_surface(displacer, truth):
    first, second = (displacer(truth, np.eye(4), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_surfaces_are_off_by_millimetres_and_on_average_by_nothing(displacer, truth):
    rng = np.random.default_rng(0)
    off = np.stack([displacer(truth, np.eye(4), rng) for _ in range(60)]) - truth
    distance = np.linalg.norm(off, axis=-1)
    assert 1.0 < distance.mean() < 3.5
    assert np.abs(off.mean(axis=(0, 1))).max() < 0.5
    side = np.sign(truth[:, 0]) * (np.abs(truth[:, 0]) > 15)
    widths = (off[..., 0] * side).sum(axis=1) / np.abs(side).sum()
    assert widths.std() > 0.7, "too wide and too narrow must both be learned"


def test_displacements_are_smooth_so_that_the_surface_stays_one(displacer, truth):
    off = displacer(truth, np.eye(4), np.random.default_rng(1)) - truth
    around = displacer.mean @ off
    assert np.linalg.norm(off - around, axis=1).mean() < 0.35 * np.linalg.norm(off, axis=1).mean()
