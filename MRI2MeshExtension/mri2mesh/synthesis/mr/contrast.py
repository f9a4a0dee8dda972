"""From a tissue map to signal: sequence contrast or random contrast, and the texture of each tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.synthesis.mr.fields import apply_separable, linear_matrix, smooth_field
from mri2mesh.synthesis.mr.relaxation import FAT_FRACTION, SEQUENCES, random_sequence, signals
from mri2mesh.synthesis.mr.tissues import CORTICES, FATS, MARROWS, MUSCLES, N_TISSUES, Tissue

RANDOM_CONTRAST = 0.4
"""How often the contrast is no real sequence's but random per tissue (SynthSeg, Billot et al. 2023)."""

OPPOSED_AT_TIMES = ("T1 gradient echo", "balanced")
"""Sequences whose echo may come while fat and water are opposed."""

Tables = tuple[NDArray[np.float32], NDArray[np.float32]]


def random_tables(rng: np.random.Generator) -> Tables:
    """[256] water and fat of each tissue, their sum random; half the time tissues of one kind are alike."""
    mean = rng.uniform(0, 1, 256)
    if rng.random() < 0.6:
        for group in (FATS, MUSCLES, MARROWS, CORTICES):
            mean[list(group)] = mean[group[0]] + rng.normal(0, 0.06, len(group))
    else:  # the marrow of a vertebra is one tissue in any contrast
        mean[Tissue.MARROW_POSTERIOR] = mean[Tissue.MARROW_BODY] + rng.normal(0, 0.08)
        mean[Tissue.MARROW_SACRUM] = mean[Tissue.MARROW_BODY] + rng.normal(0, 0.06)
    if rng.random() < 0.5:  # what lies against the bone is at times no darker or brighter than marrow
        mean[Tissue.LOOSE_TISSUE] = mean[Tissue.MARROW_BODY] + rng.normal(0, 0.1)
    if rng.random() < 0.8:  # cortical bone has no signal
        mean[list(CORTICES)] = mean[list(CORTICES)] * 0.2
    if rng.random() < 0.85:
        mean[[Tissue.AIR, Tissue.GAS]] = rng.uniform(0, 0.05)
    discs = [Tissue.NUCLEUS_MODERATE, Tissue.NUCLEUS_DEGENERATED, Tissue.ANNULUS_INNER, Tissue.SCHMORL_NODE]
    mean[discs] = mean[Tissue.NUCLEUS] * rng.uniform(0.3, 1.3, len(discs))
    mean = np.clip(mean, 0, 1)
    return (mean * (1 - FAT_FRACTION)).astype(np.float32), (mean * FAT_FRACTION).astype(np.float32)


def contrast_tables(rng: np.random.Generator, name: str | None = None) -> tuple[Tables, str]:
    """Water and fat signal per tissue [256] for a named or random contrast (a key of `SEQUENCES`, or
    "random")."""
    if name is None:
        names = list(SEQUENCES)
        shares = np.array(list(SEQUENCES.values()))
        name = "random" if rng.random() < RANDOM_CONTRAST else str(rng.choice(names, p=shares / shares.sum()))
    if name == "random":
        water, fat = random_tables(rng)
    else:
        water, fat = signals(random_sequence(rng, name), rng)
        if (
            rng.random() < 0.3
        ):  # coil, saturation and age make psoas brighter or darker than tissue constants do
            muscles = [*MUSCLES]
            water[muscles] *= np.float32(np.exp(rng.normal(0, 0.45)))
    _thin_cortex(water, fat, rng)
    scale = np.percentile((water + fat)[1:N_TISSUES], 90)
    return (water / scale, fat / scale), name


def _thin_cortex(water: NDArray, fat: NDArray, rng: np.random.Generator) -> None:
    """A shell of one voxel stands for cortex of 0.25 to 1 mm: the rest of the voxel is marrow."""
    for cortex, marrow in (
        (Tissue.CORTEX_BODY, Tissue.MARROW_BODY),
        (Tissue.ENDPLATE, Tissue.MARROW_BODY),
        (Tissue.CORTEX_POSTERIOR, Tissue.MARROW_POSTERIOR),
        (Tissue.CORTEX_SACRUM, Tissue.MARROW_SACRUM),
        (Tissue.CORTEX_OTHER, Tissue.MARROW_OTHER),
    ):
        thickness = rng.uniform(0.25, 1.0)
        for table in (water, fat):
            table[cortex] = thickness * table[cortex] + (1 - thickness) * table[marrow]


def texture_tables(rng: np.random.Generator) -> Tables:
    """[256] relative amplitude of each tissue's smooth (centimetres) and fine (voxels) variation."""
    smooth = rng.uniform(0.02, 0.10, 256)
    fine = rng.uniform(0.02, 0.12, 256)
    marrow = [*MARROWS, Tissue.HAEMANGIOMA, Tissue.LESION, Tissue.MODIC_1, Tissue.MODIC_2, Tissue.MODIC_3]
    smooth[marrow], fine[marrow] = rng.uniform(0.03, 0.2), rng.uniform(0.03, 0.3)
    smooth[[Tissue.BOWEL_CONTENT, Tissue.STOMACH_CONTENT]] = rng.uniform(0.1, 0.6)
    fine[[Tissue.BOWEL_CONTENT, Tissue.HAEMANGIOMA]] = rng.uniform(0.1, 0.4)
    smooth[list(FATS)], fine[list(FATS)] = rng.uniform(0.02, 0.12), rng.uniform(0.05, 0.25)
    smooth[Tissue.CSF] = rng.uniform(0.0, 0.2)  # pulsation
    smooth[[Tissue.AORTA, Tissue.VENA_CAVA, Tissue.VESSEL]] = rng.uniform(0.1, 0.8)
    return smooth.astype(np.float32), fine.astype(np.float32)


def paint(
    tissues: NDArray[np.uint8], rng: np.random.Generator, contrast: str | None = None
) -> tuple[NDArray[np.float32], str]:
    """Signal [K, J, I] (1 is bright, more is possible) of a tissue map, and the name of its contrast.

    contrast: a key of `relaxation.SEQUENCES`, "random", or None to draw one. Half the time fat is displaced
    against water along the body or through it (chemical shift). Where the echo finds fat and water opposed
    the signal may be negative: its magnitude is taken after the voxels of the scan have summed it up, which
    draws the dark line between water and fat of such images.
    """
    (water, fat), name = contrast_tables(rng, contrast)
    if name in OPPOSED_AT_TIMES and rng.random() < 0.35:
        fat = -fat
    image = water[tissues] + chemical_shift(fat[tissues], rng) if fat.any() else water[tissues]
    smooth, fine = texture_tables(rng)
    wavy = smooth_field(rng, tissues.shape, rng.uniform(6, 22))
    factor = smooth[tissues] * wavy
    factor += fine[tissues] * rng.standard_normal(tissues.shape, dtype=np.float32)
    factor += 1
    image *= np.maximum(factor, 0, out=factor)
    return image, name


def chemical_shift(fat: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Half the time, the signal of fat displaced by 0.3 to 2.5 voxels along k or j, the frequency direction.

    At 1.5 T fat lies 220 Hz beside water and a pixel is 80 to 250 Hz wide: one to three pixels of about 0.8 mm.
    """
    if rng.random() < 0.5:
        return fat
    axis, shift = int(rng.integers(0, 2)), rng.choice([-1, 1]) * rng.uniform(0.3, 2.5)
    matrix = linear_matrix(np.arange(fat.shape[axis]) - shift, fat.shape[axis])
    return apply_separable(fat, (matrix, None, None) if axis == 0 else (None, matrix, None))
