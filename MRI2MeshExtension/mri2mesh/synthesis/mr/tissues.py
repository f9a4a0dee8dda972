"""The tissues a synthetic lumbar MR is made of, and which of them belong together."""

from __future__ import annotations

from enum import IntEnum, auto, unique

import numpy as np
from numpy.typing import NDArray


@unique
class Tissue(IntEnum):
    """Values of a tissue map (uint8). Cortex and lesions are separate per bone, so that a lookup finds the
    bone."""

    AIR = 0
    SKIN = auto()
    FAT_SUBCUTANEOUS = auto()
    FAT_INTERNAL = auto()
    FAT_INTRAMUSCULAR = auto()
    MUSCLE_PARASPINAL = auto()
    MUSCLE_PSOAS = auto()
    MUSCLE_WALL = auto()
    MUSCLE_GLUTEAL = auto()
    CORTEX_BODY = auto()
    CORTEX_POSTERIOR = auto()
    CORTEX_SACRUM = auto()
    CORTEX_OTHER = auto()
    MARROW_BODY = auto()
    MARROW_POSTERIOR = auto()
    MARROW_SACRUM = auto()
    MARROW_OTHER = auto()
    ENDPLATE = auto()
    BASIVERTEBRAL_VEIN = auto()
    HAEMANGIOMA = auto()
    LESION = auto()
    MODIC_1 = auto()
    MODIC_2 = auto()
    MODIC_3 = auto()
    SCHMORL_NODE = auto()
    CARTILAGE = auto()
    NUCLEUS = auto()
    NUCLEUS_MODERATE = auto()
    NUCLEUS_DEGENERATED = auto()
    ANNULUS_INNER = auto()
    ANNULUS_OUTER = auto()
    SACRAL_DISC = auto()
    CSF = auto()
    CORD = auto()
    CAUDA_EQUINA = auto()
    FAT_EPIDURAL = auto()
    NERVE_ROOT = auto()
    LIGAMENTUM_FLAVUM = auto()
    INTERSPINOUS = auto()
    SUPRASPINOUS = auto()
    LIGAMENT_LONGITUDINAL = auto()
    AORTA = auto()
    VENA_CAVA = auto()
    VESSEL = auto()
    BOWEL_WALL = auto()
    BOWEL_CONTENT = auto()
    STOMACH_CONTENT = auto()
    GAS = auto()
    KIDNEY = auto()
    LIVER = auto()
    SPLEEN = auto()
    ORGAN = auto()
    FLUID = auto()
    LUNG = auto()
    LOOSE_TISSUE = auto()
    BLOB_0 = auto()
    BLOB_1 = auto()
    BLOB_2 = auto()
    BLOB_3 = auto()
    BLOB_4 = auto()
    BLOB_5 = auto()
    BLOB_6 = auto()
    BLOB_7 = auto()
    BLOB_8 = auto()
    BLOB_9 = auto()
    BLOB_10 = auto()
    BLOB_11 = auto()


N_TISSUES = len(Tissue)

BLOBS = tuple(tissue for tissue in Tissue if tissue.name.startswith("BLOB_"))

FATS = (Tissue.FAT_SUBCUTANEOUS, Tissue.FAT_INTERNAL, Tissue.FAT_INTRAMUSCULAR, Tissue.FAT_EPIDURAL)

MUSCLES = (Tissue.MUSCLE_PARASPINAL, Tissue.MUSCLE_PSOAS, Tissue.MUSCLE_WALL, Tissue.MUSCLE_GLUTEAL)

MARROWS = (Tissue.MARROW_BODY, Tissue.MARROW_POSTERIOR, Tissue.MARROW_SACRUM, Tissue.MARROW_OTHER)

CORTICES = (
    Tissue.CORTEX_BODY,
    Tissue.CORTEX_POSTERIOR,
    Tissue.CORTEX_SACRUM,
    Tissue.CORTEX_OTHER,
    Tissue.ENDPLATE,
)

BODY = (
    Tissue.CORTEX_BODY,
    Tissue.MARROW_BODY,
    Tissue.ENDPLATE,
    Tissue.BASIVERTEBRAL_VEIN,
    Tissue.HAEMANGIOMA,
    Tissue.LESION,
    Tissue.MODIC_1,
    Tissue.MODIC_2,
    Tissue.MODIC_3,
    Tissue.SCHMORL_NODE,
)
"""Everything inside the surface of a vertebral body."""

POSTERIOR = (Tissue.CORTEX_POSTERIOR, Tissue.MARROW_POSTERIOR)
"""Pedicles, laminae, facets and processes."""

DISC = (
    Tissue.NUCLEUS,
    Tissue.NUCLEUS_MODERATE,
    Tissue.NUCLEUS_DEGENERATED,
    Tissue.ANNULUS_INNER,
    Tissue.ANNULUS_OUTER,
)

SACRUM = (Tissue.CORTEX_SACRUM, Tissue.MARROW_SACRUM, Tissue.SACRAL_DISC)

CANAL = (Tissue.CSF, Tissue.CORD, Tissue.CAUDA_EQUINA, Tissue.FAT_EPIDURAL)

SPINE = (*BODY, *POSTERIOR, *DISC, *SACRUM, *CANAL)


def mask_table(tissues: tuple[Tissue, ...]) -> NDArray[np.bool_]:
    """[256] lookup table: True for these tissues. `mask_table(BODY)[map]` is a mask of the vertebral
    bodies."""
    table = np.zeros(256, dtype=bool)
    table[list(tissues)] = True
    return table
