"""Fields that are not there: circles on films with straight blades, bubbles; and blades that cover most of a film."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from mri2mesh.imaging.radiographs.masks.mask import field_masks
from mri2mesh.imaging.radiographs.masks.metal import metal_mask

SIZE = 384
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE].astype(np.float64)


def trunk() -> np.ndarray:
    """Attenuation that grows from the flanks to the middle, with two shafts in it."""
    tissue = 3.2 * np.sqrt(np.clip(1 - ((COLUMNS - SIZE / 2) / (0.55 * SIZE)) ** 2, 0, None))
    shafts = sum(np.exp(-(((COLUMNS - x) / 14) ** 2)) for x in (0.3 * SIZE, 0.7 * SIZE))
    return tissue + 0.8 * shafts * (ROWS > SIZE / 2)


def between_blades(left: int, right: int, top: int, bottom: int) -> np.ndarray:
    """Transmission; behind the blades a fifth of what comes through the thickest."""
    image = trunk()
    inside = (left <= COLUMNS) & (right > COLUMNS) & (top <= ROWS) & (bottom > ROWS)
    noise = 0.03 * np.random.default_rng(0).normal(size=image.shape)
    return np.exp(-gaussian_filter(np.where(inside, image, 5.6), 1.0) - noise)


def test_a_square_between_blades_is_no_circle_that_touches_its_sides():
    left, right, top, bottom = 60, 324, 60, 324
    masks = field_masks(between_blades(left, right, top, bottom))
    assert set(masks) == {"collimator"}
    found = ~masks["collimator"]
    assert found[top + 8 : bottom - 8, left + 8 : right - 8].all()
    assert not found[: top - 1].any() and not found[:, : left - 1].any()


def test_blades_that_leave_a_quarter_of_the_picture_free_are_found():
    left, right, top, bottom = 40, 190, 130, 384
    masks = field_masks(between_blades(left, right, top, bottom))
    assert set(masks) == {"collimator"}
    assert 0.8 < (~masks["collimator"]).sum() / ((right - left) * (bottom - top)) <= 1.0
    assert masks["collimator"][: top - 1].mean() > 0.95


def test_a_round_bubble_of_gas_is_no_field():
    bubble = np.hypot(COLUMNS - 0.5 * SIZE, ROWS - 0.45 * SIZE) < 0.22 * SIZE
    dark = gaussian_filter(np.where(bubble, 0.6, trunk() + 2.5), 1.0)
    assert field_masks(np.exp(-dark)) == {}


def test_an_uncollimated_film_has_no_blades():
    assert field_masks(np.exp(-trunk())) == {}


def test_a_thick_part_that_the_border_cuts_is_not_metal_for_the_one_edge_that_it_has():
    corner = COLUMNS + ROWS < 0.45 * SIZE
    absorbed = gaussian_filter(np.where(corner, 2.2, 1.0), 1.0)
    assert not metal_mask(absorbed, np.ones_like(corner)).any()


def test_a_rod_that_leaves_the_field_is_metal_still():
    rod = (np.abs(COLUMNS - SIZE / 2) < 9) & (ROWS > SIZE / 2)
    absorbed = gaussian_filter(np.where(rod, 4.0, 1.0), 0.6)
    found = metal_mask(absorbed, np.ones_like(rod))
    assert found[rod].mean() > 0.95 and found.mean() < 2.0 * rod.mean()
