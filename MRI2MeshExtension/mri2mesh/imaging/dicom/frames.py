"""The grey values of every frame of a DICOM file, each with its own rescale slope and intercept.

PS3.3: Modality LUT C.11.1, Pixel Value Transformation functional group C.7.6.16.2.9.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from mri2mesh.errors import InputError
from mri2mesh.imaging.dicom.pixels import (
    apply_modality_lut,
    can_decode,
    check_complete,
    decode_all,
    frames_by_gdcm,
    open_dicom,
    stored_bits,
    stored_range,
)
from mri2mesh.imaging.volumes.headers.header import TRUNCATED
from mri2mesh.imaging.volumes.limits import LARGEST_VOXELS

LARGEST_RATIO = 1000
"""Pixels per byte: no compression of an image with noise in it comes near."""
UNDECODABLE = (
    "a DICOM image cannot be decoded (damaged, or a compression that is not supported): "
    "export the series uncompressed"
)


def read_frames(path: Path) -> NDArray[np.float32]:
    """[frames, rows, columns] larger where brighter, rescaled frame by frame.

    Raises InputError for what is damaged, incomplete, in colour or cannot be decoded.
    """
    check_complete(path)
    try:
        dataset = open_dicom(path)
        _refuse_unfit(dataset)
        values = stored_bits(_stored(dataset), dataset).astype(np.float32)
        if dataset.get("PhotometricInterpretation") == "MONOCHROME1" and "FloatPixelData" not in dataset:
            lowest, highest = stored_range(dataset)
            values = np.float32(lowest + highest) - values
        return _rescaled(values, dataset)
    except (InputError, OSError, MemoryError):
        raise
    except Exception as error:  # decoders raise many kinds for damaged data
        raise InputError(UNDECODABLE) from error


def _refuse_unfit(dataset: Dataset) -> None:
    voxels = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("NumberOfFrames") or 1)
    if voxels > LARGEST_VOXELS:
        raise InputError("a DICOM image claims to be larger than can be read: export it again")
    if voxels > LARGEST_RATIO * max(len(dataset.get("PixelData") or b""), 1 << 16) and "PixelData" in dataset:
        raise InputError(TRUNCATED)
    if not str(dataset.get("PhotometricInterpretation") or "MONOCHROME2").startswith("MONOCHROME"):
        raise InputError("the DICOM images are in colour: give a grey-scale series")


def _stored(dataset: FileDataset) -> NDArray:
    """[frames, rows, columns] as stored: what is compressed by GDCM, which knows most kinds, else by pydicom."""
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return decode_all(dataset)
    try:
        return frames_by_gdcm(dataset)
    except RuntimeError:
        if not can_decode(dataset):
            raise
        return decode_all(dataset)


def _rescaled(values: NDArray[np.float32], dataset: Dataset) -> NDArray[np.float32]:
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    if not frames and "ModalityLUTSequence" in dataset:
        return np.asarray(apply_modality_lut(values.astype(np.int32), dataset), dtype=np.float32)
    for number in range(len(values)):
        frame = frames[number] if number < len(frames) else Dataset()
        groups = [(place.get("PixelValueTransformationSequence") or [None])[0] for place in (frame, shared)]
        group = next((one for one in groups if one is not None), dataset)
        slope, intercept = _number(group, "RescaleSlope", 1.0), _number(group, "RescaleIntercept", 0.0)
        if not (np.isfinite([slope, intercept]).all() and slope != 0):
            raise InputError(
                f"the DICOM Rescale Slope is {slope:g}, with it no value is known: export it again"
            )
        values[number] = values[number] * np.float64(slope) + intercept
    return values


def _number(group: Dataset, keyword: str, otherwise: float) -> float:
    value = group.get(keyword)
    return otherwise if value is None or value == "" else float(value)
