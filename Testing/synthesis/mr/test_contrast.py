"""Contrast: the physics of the sequences, and the painting of a map."""

import numpy as np
import pytest

from mri2mesh.synthesis.mr.acquisition import acquire
from mri2mesh.synthesis.mr.contrast import chemical_shift, contrast_tables, paint
from mri2mesh.synthesis.mr.relaxation import SEQUENCES, TABLE, Sequence, random_sequence, signals
from mri2mesh.synthesis.mr.slices import Protocol
from mri2mesh.synthesis.mr.tissues import BLOBS, Tissue

FAT, CSF, MUSCLE, DISC = Tissue.FAT_SUBCUTANEOUS, Tissue.CSF, Tissue.MUSCLE_PSOAS, Tissue.NUCLEUS


def total(sequence: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    water, fat = signals(random_sequence(rng, sequence), rng)
    return water + fat


def test_every_tissue_has_properties_or_is_a_random_blob():
    assert set(TABLE) | set(BLOBS) == set(Tissue)


def test_a_spin_echo_follows_its_equation():
    water, _ = signals(Sequence("x", "spin_echo", 500, 20), np.random.default_rng(0), spread=0.0)
    assert water[CSF] == pytest.approx((1 - np.exp(-500 / 4000)) * np.exp(-20 / 1500), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_known_orders_of_brightness(seed):
    t1, t2, stir, t2_star = (total(name, seed) for name in ("T1", "T2", "STIR", "T2* gradient echo"))
    assert t1[FAT] > 1.5 * t1[CSF] and t1[MUSCLE] > t1[CSF]
    assert t2[CSF] > 2 * t2[MUSCLE] and t2[FAT] > t2[MUSCLE] and t2[DISC] > t2[Tissue.NUCLEUS_DEGENERATED]
    assert stir[FAT] < 0.4 * stir[CSF]
    assert t2_star[CSF] > t2_star[Tissue.MARROW_BODY] and t2_star[DISC] > t2_star[Tissue.MARROW_BODY]
    assert all(image[Tissue.CORTEX_BODY] < 0.5 * image[Tissue.MARROW_BODY] for image in (t1, t2))


def test_dixon_images_show_one_of_water_and_fat():
    water_image, fat_image = total("Dixon water"), total("Dixon fat")
    assert water_image[FAT] < 0.3 * water_image[MUSCLE]
    assert fat_image[MUSCLE] < 0.3 * fat_image[FAT]


@pytest.mark.parametrize("name", [*SEQUENCES, "random", None])
def test_tables_are_finite_and_neither_dark_nor_blown_up(name):
    (water, fat), drawn = contrast_tables(np.random.default_rng(4), name)
    signal = (water + fat)[: len(Tissue)]
    assert np.isfinite(signal).all() and signal.min() >= 0 and 0.5 < signal.max() < 20
    assert name is None or drawn == name


def test_painting_is_deterministic_and_shows_borders_where_they_are():
    tissues = np.full((20, 20, 20), MUSCLE, np.uint8)
    tissues[:, 10:] = CSF
    first, _ = paint(tissues, np.random.default_rng(5), "T2")
    again, _ = paint(tissues, np.random.default_rng(5), "T2")
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32 and first[:, 12:].mean() > 2 * first[:, :8].mean()


def test_chemical_shift_displaces_fat_along_the_body_or_through_it_and_keeps_its_amount():
    fat = np.zeros((30, 30, 6), np.float32)
    fat[12:18, 12:18] = 1
    centres = []
    for seed in range(40):
        moved = chemical_shift(fat, np.random.default_rng(seed))
        assert moved.sum() == pytest.approx(fat.sum(), rel=1e-4)
        centres.append(
            np.array([(np.arange(n) * moved.sum(other)).sum() for n, other in ((30, (1, 2)), (30, (0, 2)))])
            / moved.sum()
            - 14.5
        )
    distance = np.abs(centres)
    assert 0.3 < (distance.max(1) > 0.2).mean() < 0.7
    assert distance.max() < 2.6 and (distance.min(1) < 1e-3).all()
    assert (distance[:, 0] > 0.2).any() and (distance[:, 1] > 0.2).any()


def test_where_fat_and_water_are_opposed_their_signals_have_opposite_signs():
    tissues = np.full((20, 20, 20), MUSCLE, np.uint8)
    tissues[:, 10:] = FAT
    signs = set()
    for seed in range(12):
        signal, _ = paint(tissues, np.random.default_rng(seed), "T1 gradient echo")
        assert signal[:, :7].mean() > 0
        signs.add(float(np.sign(signal[:, 13:].mean())))
    assert signs == {-1.0, 1.0}


def test_the_magnitude_of_opposed_signals_has_a_dark_line_between_them():
    signal = np.ones((60, 60, 12), np.float32)
    signal[:, 30:] = -1
    image, _, _ = acquire(
        signal, np.random.default_rng(1), np.array([0.0, 30.0]), Protocol(2, 1.0, 0.0, (1.4, 1.4), "box")
    )
    profile = image[10:-10, :, 3:-3].mean((0, 2))
    assert profile[28:32].min() < 0.6 * min(profile[18:24].mean(), profile[38:44].mean())
