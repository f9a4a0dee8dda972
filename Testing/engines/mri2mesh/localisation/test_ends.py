"""A body cut by the end of the image is put where its neighbours say."""

from itertools import pairwise

import numpy as np
import pytest

from mri2mesh.engines.mri2mesh.localisation.ends import STEP_RATIO, place_cut_ends
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.localisation.sizes import sized_frames
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, Heat

STEP = 36.0


def empty_image(height_mm: float) -> Evidence:
    """An image that ends ``height_mm`` above RAS zero and has nothing in it; it begins at -40."""
    matrix = np.diag([*SPACING_MM, 1.0])
    matrix[:3, 3] = [-40.0, -40.0, -40.0]
    shape = tuple(
        round((stop + 40) / mm) for stop, mm in zip((height_mm, 40, 40), SPACING_MM[::-1], strict=True)
    )
    return Evidence(
        np.zeros((6, *shape), np.float32),
        np.zeros((len(Heat), *shape), np.float32),
        np.ones(shape, bool),
        matrix,
    )


def frames_at(*heights: float) -> list[np.ndarray]:
    frames = []
    for height in heights:
        frame = np.eye(4)
        frame[:3, 3] = [3.0, 0.1 * height, height]
        frames.append(frame)
    return frames


@pytest.fixture
def seen_too_low() -> list[np.ndarray]:
    """Four bodies in line; of the highest only the lower half is in the image, so its centre seems too low."""
    return frames_at(0.0, STEP, 2 * STEP, 2 * STEP + 25)


def test_a_body_cut_by_the_upper_edge_moves_outwards_by_the_step_below(seen_too_low):
    placed, cut = place_cut_ends(seen_too_low, empty_image(2 * STEP + 30), sacrum_seen=True)
    assert cut == [False, False, False, True]
    steps = [np.linalg.norm(b[:3, 3] - a[:3, 3]) for a, b in pairwise(placed)]
    assert steps[2] == pytest.approx(STEP_RATIO * steps[1])
    way = placed[3][:3, 3] - placed[2][:3, 3]
    np.testing.assert_allclose(way / np.linalg.norm(way), np.array([0, 0.1, 1]) / np.hypot(1, 0.1), atol=1e-6)


def test_a_body_with_image_above_it_stays(seen_too_low):
    placed, cut = place_cut_ends(seen_too_low, empty_image(2 * STEP + 60), sacrum_seen=True)
    assert not any(cut)
    np.testing.assert_array_equal(placed, seen_too_low)


def test_the_lowest_body_is_cut_only_where_no_sacrum_was_found():
    low = frames_at(-35.0, -35.0 + 25, 26.0, 62.0)
    image = empty_image(120.0)
    assert place_cut_ends(low, image, sacrum_seen=False)[1] == [True, False, False, False]
    assert not any(place_cut_ends(low, image, sacrum_seen=True)[1])


def test_two_bodies_say_nothing_about_a_step():
    assert place_cut_ends(frames_at(0.0, 25.0), empty_image(30.0), sacrum_seen=True)[1] == [False, False]


def test_a_cut_body_has_its_neighbours_size_and_stays_where_it_was_put(seen_too_low):
    image = empty_image(2 * STEP + 30)
    frames = sized_frames(seen_too_low, image, [False, False, False, True])
    np.testing.assert_allclose(frames[3], seen_too_low[3])
