"""What each tissue is to an MR scanner: proton density, relaxation times and fat fraction, near 1.5 T.

Round numbers within the spread of the literature (Stanisz et al., Magn Reson Med 2005; de Bazelaire et
al., Radiology 2004; Le Ster et al., J Magn Reson Imaging 2016 for marrow); every use varies them at random
anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.synthesis.mr.tissues import N_TISSUES, Tissue

FAT_T1, FAT_T2, FAT_T2_STAR = 270.0, 130.0, 45.0
"""ms; T2 as in fast spin echo trains, where fat stays bright."""

TABLE: dict[Tissue, tuple[float, float, float, float]] = {
    # proton density, T1 of water ms, T2 of water ms, fat fraction
    Tissue.AIR: (0.0, 1000, 1, 0.0),
    Tissue.SKIN: (0.7, 800, 30, 0.15),
    Tissue.FAT_SUBCUTANEOUS: (1.0, 900, 50, 0.95),
    Tissue.FAT_INTERNAL: (0.95, 900, 50, 0.88),
    Tissue.FAT_INTRAMUSCULAR: (0.95, 1000, 45, 0.75),
    Tissue.MUSCLE_PARASPINAL: (0.9, 1000, 42, 0.08),
    Tissue.MUSCLE_PSOAS: (0.9, 1000, 40, 0.03),
    Tissue.MUSCLE_WALL: (0.88, 1000, 40, 0.05),
    Tissue.MUSCLE_GLUTEAL: (0.9, 1000, 42, 0.08),
    Tissue.CORTEX_BODY: (0.15, 500, 8, 0.3),
    Tissue.CORTEX_POSTERIOR: (0.12, 500, 8, 0.3),
    Tissue.CORTEX_SACRUM: (0.2, 500, 8, 0.3),
    Tissue.CORTEX_OTHER: (0.15, 500, 8, 0.3),
    Tissue.MARROW_BODY: (0.85, 900, 55, 0.42),
    Tissue.MARROW_POSTERIOR: (0.82, 900, 50, 0.5),
    Tissue.MARROW_SACRUM: (0.85, 900, 55, 0.47),
    Tissue.MARROW_OTHER: (0.85, 900, 50, 0.52),
    Tissue.ENDPLATE: (0.15, 600, 8, 0.2),
    Tissue.BASIVERTEBRAL_VEIN: (0.95, 1300, 160, 0.2),
    Tissue.HAEMANGIOMA: (0.95, 1000, 140, 0.6),
    Tissue.LESION: (0.9, 1200, 85, 0.03),
    Tissue.MODIC_1: (0.9, 1300, 110, 0.2),
    Tissue.MODIC_2: (0.95, 900, 80, 0.75),
    Tissue.MODIC_3: (0.35, 900, 25, 0.2),
    Tissue.SCHMORL_NODE: (0.85, 1100, 75, 0.02),
    Tissue.CARTILAGE: (0.55, 900, 22, 0.0),
    Tissue.NUCLEUS: (1.0, 1250, 130, 0.0),
    Tissue.NUCLEUS_MODERATE: (0.9, 1050, 80, 0.0),
    Tissue.NUCLEUS_DEGENERATED: (0.75, 850, 45, 0.0),
    Tissue.ANNULUS_INNER: (0.75, 900, 48, 0.0),
    Tissue.ANNULUS_OUTER: (0.5, 800, 22, 0.02),
    Tissue.SACRAL_DISC: (0.6, 900, 45, 0.05),
    Tissue.CSF: (1.0, 4000, 1500, 0.0),
    Tissue.CORD: (0.85, 950, 80, 0.0),
    Tissue.CAUDA_EQUINA: (0.85, 1050, 85, 0.02),
    Tissue.FAT_EPIDURAL: (0.95, 900, 60, 0.85),
    Tissue.NERVE_ROOT: (0.85, 1050, 70, 0.05),
    Tissue.LIGAMENTUM_FLAVUM: (0.6, 850, 22, 0.1),
    Tissue.INTERSPINOUS: (0.65, 900, 30, 0.3),
    Tissue.SUPRASPINOUS: (0.3, 700, 12, 0.1),
    Tissue.LIGAMENT_LONGITUDINAL: (0.25, 700, 12, 0.05),
    Tissue.AORTA: (0.95, 1400, 200, 0.0),
    Tissue.VENA_CAVA: (0.95, 1400, 160, 0.0),
    Tissue.VESSEL: (0.95, 1400, 160, 0.0),
    Tissue.BOWEL_WALL: (0.85, 1000, 60, 0.05),
    Tissue.BOWEL_CONTENT: (0.85, 1200, 120, 0.1),
    Tissue.STOMACH_CONTENT: (0.9, 1800, 300, 0.05),
    Tissue.GAS: (0.02, 1000, 2, 0.0),
    Tissue.KIDNEY: (0.95, 1100, 85, 0.02),
    Tissue.LIVER: (0.85, 600, 45, 0.06),
    Tissue.SPLEEN: (0.9, 1050, 75, 0.0),
    Tissue.ORGAN: (0.88, 750, 60, 0.05),
    Tissue.FLUID: (1.0, 3500, 900, 0.0),
    Tissue.LUNG: (0.12, 1100, 20, 0.0),
    Tissue.LOOSE_TISSUE: (0.85, 950, 55, 0.5),
}

FAT_FRACTION = np.zeros(256)
"""[256] share of the signal that comes from fat."""
FAT_FRACTION[[int(tissue) for tissue in TABLE]] = [row[3] for row in TABLE.values()]

VESSELS = (Tissue.AORTA, Tissue.VENA_CAVA, Tissue.VESSEL)


@dataclass(frozen=True)
class Sequence:
    """Pulse sequence. kind: spin_echo, inversion, gradient_echo or balanced; times in ms, flip in degrees.

    fat, water: factors on the two signals (fat suppression leaves a little fat; Dixon images have one of
    them).
    """

    name: str
    kind: str
    repetition: float
    echo: float
    inversion: float = 0.0
    flip: float = 90.0
    fat: float = 1.0
    water: float = 1.0


def random_sequence(rng: np.random.Generator, name: str) -> Sequence:
    """A sequence of the named family with usual parameters."""
    u = rng.uniform
    match name:
        case "T1":
            return Sequence(name, "spin_echo", u(350, 750), u(7, 16))
        case "T2":
            return Sequence(name, "spin_echo", u(2200, 5500), u(70, 135))
        case "PD":
            return Sequence(name, "spin_echo", u(1500, 3500), u(12, 35))
        case "STIR":
            return Sequence(name, "inversion", u(3000, 5500), u(30, 80), inversion=u(165, 205))
        case "T2 fat-suppressed":
            return Sequence(name, "spin_echo", u(2500, 5500), u(50, 110), fat=u(0.03, 0.25))
        case "Dixon water":
            t2 = rng.random() < 0.5
            return Sequence(
                name,
                "spin_echo",
                u(2500, 4500) if t2 else u(400, 700),
                u(60, 110) if t2 else 10,
                fat=u(0, 0.06),
            )
        case "Dixon fat":
            t2 = rng.random() < 0.5
            return Sequence(
                name,
                "spin_echo",
                u(2500, 4500) if t2 else u(400, 700),
                u(60, 110) if t2 else 10,
                water=u(0, 0.06),
            )
        case "T1 gradient echo":
            return Sequence(name, "gradient_echo", u(5, 250), u(1.5, 8), flip=u(12, 80))
        case "T2* gradient echo":
            return Sequence(name, "gradient_echo", u(350, 800), u(9, 20), flip=u(15, 35))
        case "balanced":
            return Sequence(name, "balanced", u(4, 8), u(2, 4), flip=u(40, 75))
    raise ValueError(f"no sequence is called {name!r}")


SEQUENCES = {
    "T2": 0.3,
    "T1": 0.2,
    "STIR": 0.08,
    "T2 fat-suppressed": 0.08,
    "Dixon water": 0.06,
    "Dixon fat": 0.05,
    "T1 gradient echo": 0.1,
    "T2* gradient echo": 0.05,
    "PD": 0.05,
    "balanced": 0.03,
}
"""How often each family is drawn."""


def signals(
    sequence: Sequence, rng: np.random.Generator, spread: float = 0.18
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[256] water and fat signal of each tissue, its properties varied log-normally by `spread`.

    Spin echo: PD (1 - exp(-TR/T1)) exp(-TE/T2); inversion recovery: |1 - 2 exp(-TI/T1) + exp(-TR/T1)|;
    spoiled gradient echo (Ernst) with T2* from T2 and, in bone, the field of the trabeculae; balanced:
    T2/T1 contrast.
    """
    table = np.zeros((256, 4))
    for tissue, row in TABLE.items():
        table[tissue] = row
    for blob in range(max(TABLE) + 1, N_TISSUES):
        table[blob] = (
            rng.uniform(0.1, 1),
            rng.uniform(300, 2500),
            np.exp(rng.uniform(2.3, 6)),
            rng.choice([0, 0, rng.random()]),
        )
    density, t1, t2, fat_fraction = (table[:, c] for c in range(4))
    t1, t2 = (np.maximum(t, 1) * np.exp(spread * rng.standard_normal(256)) for t in (t1, t2))
    density = density * np.exp(0.5 * spread * rng.standard_normal(256))
    fat_fraction = fat_fraction.copy()
    marrow = [t for t in Tissue if t.name.startswith("MARROW")]
    # One patient's marrow is more or less fatty everywhere.
    fat_fraction[marrow] = np.clip(
        fat_fraction[marrow] + rng.normal(0, 0.12) + rng.normal(0, 0.03, len(marrow)), 0.1, 0.85
    )
    t1[marrow], t2[marrow] = (
        t1[Tissue.MARROW_BODY],
        t2[Tissue.MARROW_BODY] * rng.uniform(0.95, 1.05, len(marrow)),
    )

    # Fat with vessels and fibres in it: as bright as marrow in some patients, as fat or muscle in others.
    fat_fraction[Tissue.LOOSE_TISSUE] = rng.uniform(0.15, 0.9)

    t2_star = t2 * rng.uniform(0.4, 0.8)
    bone = [t for t in Tissue if t.name.startswith(("MARROW", "CORTEX"))]
    t2_star[bone] = 1 / (1 / t2_star[bone] + 1 / rng.uniform(6, 20))
    fat_t2_star = np.where(np.isin(np.arange(256), bone), rng.uniform(6, 18), FAT_T2_STAR)

    water = density * (1 - fat_fraction) * sequence.water * _signal(sequence, t1, t2, t2_star)
    fat_signal = _signal(sequence, np.full(256, FAT_T1), np.full(256, FAT_T2), fat_t2_star)
    fat = density * fat_fraction * sequence.fat * fat_signal
    vessels = list(VESSELS)
    # Flowing blood leaves the slice before a spin echo forms, and enters it fresh in a gradient echo.
    flow = rng.uniform(0, 0.5, 3) if sequence.kind in ("spin_echo", "inversion") else rng.uniform(0.8, 2.5, 3)
    water[vessels] *= flow
    return water.astype(np.float32), fat.astype(np.float32)


def _signal(sequence: Sequence, t1: NDArray, t2: NDArray, t2_star: NDArray) -> NDArray:
    recovery = np.exp(-sequence.repetition / t1)
    if sequence.kind == "spin_echo":
        return (1 - recovery) * np.exp(-sequence.echo / t2)
    if sequence.kind == "inversion":
        return np.abs(1 - 2 * np.exp(-sequence.inversion / t1) + recovery) * np.exp(-sequence.echo / t2)
    flip = np.radians(sequence.flip)
    if sequence.kind == "gradient_echo":
        return (
            np.sin(flip) * (1 - recovery) / (1 - np.cos(flip) * recovery) * np.exp(-sequence.echo / t2_star)
        )
    ratio = t1 / t2
    return np.sin(flip) / (ratio + 1 - np.cos(flip) * (ratio - 1))
