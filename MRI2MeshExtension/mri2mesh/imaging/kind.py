"""Whether an input is a radiograph or a volume, by its beginning: nothing else of it is read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import pydicom

from mri2mesh.imaging.files import PICTURES, beginning_of, content_of
from mri2mesh.imaging.radiographs.dicom import MODALITIES

InputKind = Literal["volume", "radiographs"]


def kind_of(path: str | Path) -> InputKind:
    """``"radiographs"`` for a picture and for a DICOM file whose modality is of projections, ``"volume"`` for all
    else, missing files included: what reads them says what is wrong with them."""
    path = Path(path)
    try:
        if not path.is_file():
            return "volume"
        content = content_of(beginning_of(path))
        if content in PICTURES:
            return "radiographs"
        if content != "dicom":
            return "volume"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality"], force=True)
        modality = str(dataset.get("Modality") or "").upper()
    except Exception:  # a folder, a missing or damaged file: pydicom raises many kinds
        return "volume"
    return "radiographs" if modality in MODALITIES else "volume"
