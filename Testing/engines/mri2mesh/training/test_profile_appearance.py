"""Another scanner's look for a block: grey values change, edges stay."""

import numpy as np
import pytest

from mri2mesh.engines.mri2mesh.training.profile_appearance import MOST_CHEMICAL_SHIFT, other_appearance


@pytest.fixture(scope="module")
def step() -> np.ndarray:
    """Dark up to a plane in the middle of the last axis, bright beyond it."""
    image = np.full((24, 30, 40), 0.2, np.float32)
    image[..., 20:] = 0.8
    return image


def test_each_draw_looks_different_and_the_same_generator_gives_the_same(step):
    first, again, other = (other_appearance(step, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01


def test_the_block_keeps_its_shape_and_has_no_holes(step):
    for seed in range(30):
        drawn = other_appearance(step, np.random.default_rng(seed))
        assert drawn.shape == step.shape
        assert drawn.dtype == np.float32
        assert np.isfinite(drawn).all()


def test_an_edge_stays_where_it_is_but_for_chemical_shift(step):
    places = []
    for seed in range(60):
        profile = other_appearance(step, np.random.default_rng(seed)).mean(axis=(0, 1))
        rise = np.abs(np.diff(profile[8:32]))
        if rise.max() > 0.05:
            places.append(
                8.5 + np.average(np.arange(len(rise)), weights=np.maximum(rise - rise.max() / 3, 0))
            )
    places = np.array(places)
    assert len(places) > 40, "most looks still show the edge"
    assert abs(np.median(places) - 19.5) < 0.2
    assert np.abs(places - 19.5).max() < MOST_CHEMICAL_SHIFT + 1.5


def test_contrasts_are_turned_round_in_some_draws(step):
    brighter = [
        float(drawn[..., 25:].mean() - drawn[..., :15].mean()) > 0
        for drawn in (other_appearance(step, np.random.default_rng(seed)) for seed in range(60))
    ]
    assert 0.05 < np.mean(np.logical_not(brighter)) < 0.5
