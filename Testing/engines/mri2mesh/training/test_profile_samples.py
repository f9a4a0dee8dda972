"""Displaced surfaces, and the rows drawn through them, that the profile network learns from."""

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.structures import disc_name
from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.training import profile_samples
from mri2mesh.engines.mri2mesh.training.displacement import Displacer
from mri2mesh.engines.mri2mesh.training.pool import CasePool, case_path
from mri2mesh.engines.mri2mesh.training.profile_levels import levels_in, resized
from mri2mesh.engines.mri2mesh.training.profile_samples import ProfileSamples
from mri2mesh.geometry.transforms import apply


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


def test_image_and_anatomy_are_resized_together(truth):
    """A vertex lies at the same place of the block afterwards."""
    rng = np.random.default_rng(4)
    matrix = np.diag([1.0, 1.0, 1.0, 1.0])
    matrix[:3, 3] = (-50, -60, -40)
    _, moved_matrix, moved, frame = resized(np.zeros((3, 3, 3), np.float32), matrix, truth, np.eye(4), rng)
    before, after = (
        apply(np.linalg.inv(m), v.astype(float)) for m, v in ((matrix, truth), (moved_matrix, moved))
    )
    np.testing.assert_allclose(after, before, atol=1e-3)
    grown = np.ptp(moved, axis=0) / np.ptp(truth, axis=0)
    np.testing.assert_allclose(grown, np.diag(frame)[:3], rtol=1e-4)
    assert np.abs(grown - 1).max() > 0.01


@pytest.fixture
def samples(tmp_path, truth) -> ProfileSamples:
    """One L3 in an image that is bright inside its box, as the only case, and few shards."""
    graphs = build_graphs()
    image = np.zeros((90, 110, 90), np.uint8)
    image[30:60, 40:70, 20:70] = 150
    matrix = np.eye(4)
    matrix[:3, 3] = (-45, -60, -45)
    cache = tmp_path / "levels"
    cache.mkdir()
    np.savez(
        cache / "levels_00000.npz",
        L3_image=image,
        L3_matrix=matrix,
        L3_vertices=truth,
        L3_frame=np.eye(4),
    )
    assert levels_in(cache / "levels_00000.npz") == ["L3"]
    assert disc_name("L3") == "L3-L4"
    case_path(tmp_path, 0).touch()
    pool = CasePool(tmp_path, tmp_path, 1, workers=0)
    return ProfileSamples(pool, cache, graphs, 32, seed=1)


def test_rows_say_how_far_the_truth_is(samples):
    batch = samples[0]
    assert len(batch["along"]) == len(batch["local"]) >= 24
    assert torch.isfinite(batch["local"]).all()
    assert 0.3 < batch["along"].abs().mean() < 8


def test_shards_are_drawn_anew_and_the_oldest_goes(samples):
    samples.shards = type(samples.shards)(maxlen=4)
    for n in range(4 * profile_samples.STEPS_PER_SHARD):
        samples[n]
        if n == 0:
            first = samples.shards[0]
    assert len(samples.shards) == 4
    assert all(shard is not first for shard in samples.shards)
    drawn = [shard.arrays["along"] for shard in samples.shards]
    assert not any(torch.equal(drawn[0], other) for other in drawn[1:])


def test_cases_that_are_made_meanwhile_are_taken_up(tmp_path):
    pool = CasePool(tmp_path, tmp_path, 3, workers=0)
    assert pool.there() == 0
    for n in (0, 2):
        case_path(tmp_path, n).touch()
    assert pool.there() == 1
    case_path(tmp_path, 1).touch()
    assert pool.there() == 3
