"""Films against their surroundings: what exposure and display do to a film must not matter."""

from __future__ import annotations

import numpy as np

from mri2mesh.engines.revert.checks import chain_check
from mri2mesh.engines.revert.contrast import bone_is_bright, local_contrast


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A block of bone on a slope, and the bone alone."""
    row, column = np.mgrid[0:96, 0:96]
    bone = ((abs(row - 48) < 12) & (abs(column - 40) < 16)).astype(np.float32)
    return (0.02 * column + 0.3 * bone).astype(np.float32), bone


def test_gain_and_offset_do_not_matter():
    film, _ = scene()
    np.testing.assert_allclose(local_contrast(5 * film - 2, 1.5), local_contrast(film, 1.5), atol=1e-3)


def test_bone_stands_out_from_a_slope_that_is_brighter_elsewhere():
    film, bone = scene()
    seen = local_contrast(film, 1.5)
    ring = (bone == 0) & (np.roll(bone, 14, axis=0) + np.roll(bone, -14, axis=0) > 0)
    assert film[bone > 0].mean() < film[:, -10:].mean()  # brighter elsewhere
    assert seen[bone > 0].mean() > seen[ring].mean() + 1.0


def test_an_even_film_stays_even_and_nothing_is_beyond_bounds():
    assert np.abs(local_contrast(np.full((32, 32), 7.0), 1.5)).max() < 1e-3
    assert np.abs(local_contrast(np.random.default_rng(0).normal(size=(64, 64)) ** 5, 1.5)).max() <= 3.0


def test_whether_bone_is_bright_is_seen_on_any_slope():
    film, bone = scene()
    assert bone_is_bright(film, bone, 1.5)
    assert not bone_is_bright(-film, bone, 1.5)


def test_bodies_that_are_too_near_or_miss_one_between_them_fail():
    def centres(**heights: float) -> dict[str, np.ndarray]:
        return {name: np.array([0.0, 0.0, height]) for name, height in heights.items()}

    good = chain_check(centres(L1=70.0, L2=35.0, L3=0.0))
    assert good is not None and good.passed
    near = chain_check(centres(L1=45.0, L2=35.0, L3=0.0))
    assert near is not None and not near.passed and "L1 and L2 are 10 mm apart" in near.detail
    gap = chain_check(centres(L1=70.0, L3=0.0))
    assert gap is not None and not gap.passed and "not seen" in gap.detail
    assert chain_check(centres(L3=0.0)) is None
