"""Decoded DICOM pixels, by pydicom 3 and by pydicom 2, which Slicer 5.10 brings and which other extensions rely on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

_PER_FRAME = int(pydicom.__version__.split(".")[0]) >= 3
"""Whether one frame can be decoded by itself; pydicom 2 decodes all, and is trusted with uncompressed ones alone."""

if not _PER_FRAME:
    from pydicom.pixel_data_handlers.util import apply_modality_lut
else:
    from pydicom.pixels import apply_modality_lut  # type: ignore[no-redef]

__all__ = ["apply_modality_lut", "can_decode", "decode"]


def can_decode(dataset: Dataset) -> bool:
    """Whether `decode` understands how the pixels of a file are stored."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_compressed:
        return True
    if not _PER_FRAME:
        return False
    from pydicom.pixels import get_decoder

    return bool(get_decoder(syntax).is_available)


def decode(path: Path, frame: int) -> NDArray:
    """[rows, columns] of one frame (from 0) as stored. Raises what pydicom raises for damaged data."""
    if _PER_FRAME:
        from pydicom.pixels import pixel_array

        return np.asarray(pixel_array(path, index=frame, raw=True))
    dataset = pydicom.dcmread(path)
    return dataset.pixel_array.reshape(-1, int(dataset.Rows), int(dataset.Columns))[frame]
