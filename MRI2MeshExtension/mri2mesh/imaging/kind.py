"""Whether an input is a radiograph or a volume, by its beginning: nothing else of it is read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import pydicom

from mri2mesh.imaging.radiographs.dicom import MODALITIES
from mri2mesh.imaging.radiographs.picture import READERS

InputKind = Literal["volume", "radiographs"]


def kind_of(path: str | Path) -> InputKind:
    """``"radiographs"`` for a picture and for a DICOM file whose modality is of projections, ``"volume"`` for all
    else, missing files included: what reads them says what is wrong with them."""
    path = Path(path)
    if path.suffix.lower() in READERS:
        return "radiographs"
    try:
        with path.open("rb") as stream:
            if stream.read(132)[128:] != b"DICM":
                return "volume"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality"])
    except Exception:  # a folder, a missing or damaged file: pydicom raises many kinds
        return "volume"
    return "radiographs" if str(dataset.get("Modality") or "").upper() in MODALITIES else "volume"
