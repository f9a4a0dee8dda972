"""The pixels of a DICOM radiograph as attenuation: larger where more of the beam was absorbed.

PS3.3: Pixel Intensity Relationship (0028,1040) and its Sign (0028,1041) C.8.11.3.1.2, Modality LUT C.11.1.
The VOI LUT and window are for looking: they clip, and are not applied. Overlay planes (60xx) stay out too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from mri2mesh.errors import InputError
from mri2mesh.imaging.dicom.pixels import (
    apply_modality_lut,
    can_decode,
    check_complete,
    decode,
    frames_by_gdcm,
    open_dicom,
    stored_bits,
)
from mri2mesh.imaging.radiographs.radiograph import Bone, Scale
from mri2mesh.imaging.radiographs.tags.values import FrameTags

UNDECODABLE = (
    "the DICOM image cannot be decoded (damaged, or a compression that is not supported): "
    "export it uncompressed"
)
FLUOROSCOPY = ("XA", "RF")
"""Bone is shown dark: the picture follows the beam. Elsewhere bone is shown bright."""


def stored_values(path: Path, dataset: Dataset, frame: int) -> NDArray:
    """[rows, columns] integers of one frame (from 0) as they are stored. Raises InputError."""
    check_complete(path)
    try:
        if can_decode(dataset):
            values = decode(path, frame)
        else:
            values = frames_by_gdcm(open_dicom(path))[frame]
    except InputError:
        raise
    except Exception as error:  # decoders raise many kinds for damaged data
        raise InputError(UNDECODABLE) from error
    values = np.asarray(values)
    if values.shape != (int(dataset.Rows), int(dataset.Columns)):
        raise InputError(UNDECODABLE)
    return stored_bits(values, dataset)


def attenuation(
    values: NDArray, tags: FrameTags, ignored: NDArray[np.bool_], bone: Bone | None = None
) -> tuple[NDArray[np.float32], Scale, tuple[str, ...]]:
    """[rows, columns] larger where more was absorbed, what its numbers are, and what had to be assumed.

    values: as stored. ignored: pixels (padding) that say nothing about the range of values.
    bone: how it is shown, if the user says so against the tags.
    Raises InputError where all pixels are equal.
    """
    dataset = tags.dataset
    output = np.asarray(apply_modality_lut(values, dataset), dtype=np.float64)
    seen = output[~ignored]
    if seen.size == 0 or seen.min() == seen.max():
        raise InputError("every pixel of the radiograph has the same value: there is nothing to see in it")
    low, high = float(seen.min()), float(seen.max())
    sign, warnings = _sign(tags, bone)
    relationship = tags.word("PixelIntensityRelationship")
    if relationship == "LOG" and "ModalityLUTSequence" in dataset:
        relationship = "LIN"  # what the Modality LUT of XA and RF images makes of it (C.11.1.1.2)
    if relationship == "LIN":
        beam = output - min(low, 0.0) if sign > 0 else high - output
        # Half a step of the detector stands for a beam too weak to be counted.
        step = float(np.diff(np.unique(seen)).min())
        logarithm = np.log(np.max(beam[~ignored])) - np.log(np.maximum(beam, step / 2))
        return np.maximum(logarithm, 0).astype(np.float32), "logarithmic", warnings
    share = (output - low) / (high - low)
    share = np.clip(1 - share if sign > 0 else share, 0, 1)
    return share.astype(np.float32), "display", warnings


def _sign(tags: FrameTags, bone: Bone | None) -> tuple[int, tuple[str, ...]]:
    """+1 where larger values mean more beam, -1 where they mean less; and what had to be assumed."""
    stated = tags.number("PixelIntensityRelationshipSign")
    if stated and bone is None:
        return (1 if stated > 0 else -1), ()
    beam_is_bright = tags.word("Modality") in FLUOROSCOPY if bone is None else bone == "dark"
    high_is_bright = tags.word("PhotometricInterpretation") != "MONOCHROME1"
    shown = "dark" if beam_is_bright else "bright"
    sign = 1 if beam_is_bright == high_is_bright else -1
    if bone is not None:
        return sign, ()
    return (
        sign,
        (f"the image does not say how its values follow the beam: bone is taken to be shown {shown}",),
    )


def padding(values: NDArray, dataset: Dataset) -> NDArray[np.bool_]:
    """[rows, columns]; True at Pixel Padding Value (0028,0120), to its Range Limit (0028,0121)."""
    value = dataset.get("PixelPaddingValue")
    if value is None or value == "":
        return np.zeros(values.shape, dtype=bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = sorted((int(value), int(value if limit is None else limit)))
    return (values >= ends[0]) & (values <= ends[1])
