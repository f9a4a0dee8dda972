"""Agreement part by part: a part that lies wrong shows, however well the rest agrees."""

import numpy as np
import pytest

from mri2mesh.engines.xray_fit.fitting.parts import agreement_of_parts


@pytest.fixture
def shown() -> np.ndarray:
    """[1, 96, 64] the two edges of a shaft from top to bottom."""
    image = np.zeros((1, 96, 64))
    image[0, :, 24], image[0, :, 40] = 1.0, -1.0
    return image


def test_an_image_that_is_the_shadow_agrees_in_all_parts_whatever_its_contrast(shown):
    contrast = np.linspace(0.5, 3.0, 96)[:, None]
    agreed, share = agreement_of_parts(shown, contrast * shown, pixel_mm=4.0)
    assert agreed.min() > 0.95
    assert share.sum() == pytest.approx(1.0)


def test_where_a_half_of_the_shaft_is_beside_its_shadow_half_of_the_parts_do_not_agree(shown):
    left = shown.copy()
    left[:, 48:] = np.roll(shown[:, 48:], 3, axis=2)
    agreed, share = agreement_of_parts(shown, left, pixel_mm=4.0)
    assert share[agreed < 0.1].sum() == pytest.approx(0.5, abs=0.15)


def test_parts_that_should_show_nothing_do_not_count(shown):
    shown[:, 30:] = 0.0
    left = shown + np.random.default_rng(0).normal(size=shown.shape) * (np.arange(96) >= 40)[:, None]
    agreed, _ = agreement_of_parts(shown, left, pixel_mm=4.0)
    assert agreed.min() > 0.6
