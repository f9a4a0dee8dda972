"""Whether a volume is what the networks were trained on: the magnitude of a magnetic resonance signal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.volume import Volume

NAMES = {
    "CT": "a CT",
    "PT": "a PET",
    "NM": "a nuclear medicine image",
    "US": "an ultrasound image",
    "RTDOSE": "a dose distribution",
    "OT": "an image of another kind",
}
"""DICOM Modality (0008,0060) to words; others are quoted."""
MADE_FOR = "this method was made for MR and measured on MR only, so do not rely on the surfaces"
AIR_HU = -800.0
"""Hounsfield units below which a voxel is air; the magnitude of an MR signal is never negative."""
LEAST_AIR = 0.02
"""Fraction of the voxels that are air in a CT: it shows some around the patient, or in the bowel and lungs."""
MOST_LABELS, ALIKE = 100, 0.9
"""A label map has no more values than this; this fraction of neighbours along a row is alike within its labels."""


def modality_warnings(volume: Volume) -> list[str]:
    """One sentence where the volume is not, or does not look like, an MR image; nothing otherwise."""
    modality = volume.metadata.get("modality", "")
    if modality not in ("", "MR"):
        return [f"the image is {NAMES.get(modality, f'of modality {modality}')}: {MADE_FOR}"]
    if _is_label_map(volume.array):
        return [
            "the image looks like a label map, in which neighbours have the same few values: for surfaces of its "
            "labels choose the engine segmentation (--engine segmentation)"
        ]
    if float((volume.array < AIR_HU).mean()) > LEAST_AIR and float(np.median(volume.array)) < 0:
        return [
            "many values of the image are negative, as in a CT or in the phase of an MR signal: this method was made "
            "for the magnitude of MR, so do not rely on the surfaces"
        ]
    return []


def _is_label_map(array: NDArray) -> bool:
    """Few values, whole numbers, and where something is, nearly every neighbour has the same."""
    some = array[:: max(1, len(array) // 40)]
    first, second = some[..., :-1], some[..., 1:]
    both = (first != 0) & (second != 0)
    if not both.any() or float((first[both] == second[both]).mean()) < ALIKE:
        return False
    values = np.unique(some)
    return len(values) <= MOST_LABELS and bool((values == np.round(values)).all())
