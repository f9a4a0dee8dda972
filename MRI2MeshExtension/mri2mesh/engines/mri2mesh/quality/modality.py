"""Whether a volume is what the networks were trained on: the magnitude of a magnetic resonance signal."""

from __future__ import annotations

import numpy as np

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


def modality_warnings(volume: Volume) -> list[str]:
    """One sentence where the volume is not, or does not look like, an MR image; nothing otherwise."""
    modality = volume.metadata.get("modality", "")
    if modality not in ("", "MR"):
        return [f"the image is {NAMES.get(modality, f'of modality {modality}')}: {MADE_FOR}"]
    if float((volume.array < AIR_HU).mean()) > LEAST_AIR and float(np.median(volume.array)) < 0:
        return [
            "many values of the image are negative, as in a CT or in the phase of an MR signal: this method was made "
            "for the magnitude of MR, so do not rely on the surfaces"
        ]
    return []
