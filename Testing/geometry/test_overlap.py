"""Dice of two masks."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.geometry.overlap import dice


def test_masks_of_four_and_two_pixels_that_share_one_have_a_third():
    one, other = np.zeros((2, 3, 3), bool)
    one[0, :2] = one[1, :2] = True
    other[1, 1:] = True
    assert dice(one, other) == dice(other, one) == pytest.approx(1 / 3)


def test_a_mask_is_itself_and_two_empty_ones_share_nothing():
    mask = np.eye(4, dtype=bool)
    assert dice(mask, mask) == 1.0
    assert dice(mask & False, mask & False) == 0.0
