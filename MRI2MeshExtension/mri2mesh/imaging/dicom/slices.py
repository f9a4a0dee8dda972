"""The slices in DICOM files, by their headers. Keeps nothing that names the patient.

References are to the DICOM attributes (PS3.3): Image Plane C.7.6.2, Multi-frame Functional Groups C.7.6.16.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID

from mri2mesh.errors import InputError
from mri2mesh.imaging.files import is_dicom

TAGS = [
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "PatientID",
    "Modality", "ImageType",
    "EchoNumbers", "EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "ScanningSequence", "DiffusionBValue",
    "TemporalPositionIdentifier", "AcquisitionNumber", "TriggerTime", "FrameOfReferenceUID",
    "PhotometricInterpretation", "Rows", "Columns", "SamplesPerPixel", "NumberOfFrames",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
FRAME_TRAITS = {
    "Image Type": ("MRImageFrameTypeSequence", "FrameType"),
    "Echo Time": ("MREchoSequence", "EffectiveEchoTime"),
    "Flip Angle": ("MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "Diffusion b-value": ("MRDiffusionSequence", "DiffusionBValue"),
    "Temporal Position": ("FrameContentSequence", "TemporalPositionIndex"),
    "Stack": ("FrameContentSequence", "StackID"),
}
"""Attributes of an enhanced file's frames that tell slices apart: functional group and keyword."""
FILE_TRAITS = {
    "Image Type": "ImageType",
    "Echo Number": "EchoNumbers",
    "Echo Time": "EchoTime",
    "Inversion Time": "InversionTime",
    "Flip Angle": "FlipAngle",
    "Diffusion b-value": "DiffusionBValue",
    "Temporal Position": "TemporalPositionIdentifier",
    "Acquisition Number": "AcquisitionNumber",
    "Trigger Time": "TriggerTime",
    "Repetition Time": "RepetitionTime",
    "Scanning Sequence": "ScanningSequence",
    "Photometric Interpretation": "PhotometricInterpretation",
    "Frame of Reference": "FrameOfReferenceUID",
}
"""The same of a classic file. Every one is compared; only numbers and known words are ever shown."""


@dataclass(frozen=True)
class DicomSlice:
    """One slice: a file, or one frame of a multi-frame file. Lengths in mm, directions and position in LPS.

    orientation: [2, 3] unit vectors along a row (to the next column) and down a column (to the next row).
    spacing: between rows, between columns (Pixel Spacing, 0028,0030). thickness: Slice Thickness (0018,0050).
    shape: rows, columns. traits: by the names of `FILE_TRAITS`, as text. study, patient: fingerprints to compare.
    """

    path: Path
    frame: int
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing: tuple[float, float]
    thickness: float | None
    shape: tuple[int, int]
    samples: int
    series: str
    number: int
    modality: str
    study: str = ""
    patient: str = ""
    traits: dict[str, str] = field(default_factory=dict)


@dataclass
class FoundSlices:
    """What the headers of some files say.

    images: DICOM images there are. placeless: of each series, how many images or frames have no place in the patient.
    damaged: files that are DICOM and cannot be read.
    """

    slices: list[DicomSlice] = field(default_factory=list)
    images: int = 0
    placeless: dict[str, int] = field(default_factory=dict)
    damaged: int = 0


def read_slices(files: list[Path]) -> FoundSlices:
    """All slices in files of any kind. Raises InputError for a place, direction or spacing that cannot be."""
    found = FoundSlices()
    seen: set[str] = set()
    for file in files:
        header = _header(file, found)
        if header is None:
            continue
        found.images += 1
        try:
            identity = str(header.get("SOPInstanceUID", file))
            if identity not in seen:  # else the same image exported twice
                seen.add(identity)
                found.slices += _slices(file, header, found)
        except InputError:
            raise
        except Exception as error:  # pydicom raises many kinds for values that break their format
            raise InputError(
                "a DICOM image has a position, direction or spacing that cannot be used: export it again"
            ) from error
    return found


def _header(file: Path, found: FoundSlices) -> Dataset | None:
    """Tags of one image, or None for what is not DICOM, is no image or cannot be read."""
    try:
        if not file.is_file() or not is_dicom(file):
            return None
    except OSError:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS, force=True)
        if "Rows" in header and "Columns" in header:
            return header
        found.damaged += _was_an_image(header)
    except Exception:  # pydicom raises many kinds for files that are damaged
        found.damaged += 1
    return None


def _was_an_image(header: Dataset) -> bool:
    """Whether a file without rows and columns was cut: a report or a directory says what it is, and is no image."""
    kind = getattr(header, "file_meta", {}).get("MediaStorageSOPClassUID") or header.get("SOPClassUID")
    return kind is None or "Image Storage" in UID(str(kind)).name


def _slices(file: Path, header: Dataset, found: FoundSlices) -> Iterator[DicomSlice]:
    """The slices of one file; none where it has no place in the patient."""
    series = str(header.get("SeriesInstanceUID", ""))
    frames = header.get("PerFrameFunctionalGroupsSequence")
    if not frames:
        if not all(header.get(name) for name in PLACE):
            found.placeless[series] = found.placeless.get(series, 0) + 1
        elif int(header.get("NumberOfFrames") or 1) > 1:
            raise InputError(
                "a DICOM file holds several frames and says the place of one only: export the images as single files, "
                "or as enhanced multi-frame"
            )
        else:
            yield _slice(file, 0, header, (header, header, header), _traits(header))
        return
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    for number, frame in enumerate(frames):
        groups = [
            (frame.get(name) or shared.get(name) or [None])[0]
            for name in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        ]
        if None in groups:
            found.placeless[series] = found.placeless.get(series, 0) + 1
            continue
        traits = _traits(header)
        for name, (group, keyword) in FRAME_TRAITS.items():
            place = (frame.get(group) or shared.get(group) or [Dataset()])[0]
            if value := _text(place.get(keyword)):
                traits[name] = value
        yield _slice(file, number, header, (groups[0], groups[1], groups[2]), traits)


def _slice(
    file: Path,
    frame: int,
    header: Dataset,
    groups: tuple[Dataset, Dataset, Dataset],
    traits: dict[str, str],
) -> DicomSlice:
    """Raises ValueError where a number is missing, not finite or impossible; InputError for the spacing."""
    position, orientation, measures = groups
    directions = np.array(orientation.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    place = np.array(position.ImagePositionPatient, dtype=np.float64).reshape(3)
    lengths = np.linalg.norm(directions, axis=1)
    rows_apart, columns_apart = (float(value) for value in measures.PixelSpacing)
    for value in (rows_apart, columns_apart):
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"the DICOM Pixel Spacing is {value:g} mm, it must be positive: export it again")
    if not np.isfinite(place).all() or not np.allclose(lengths, 1, atol=1e-2):
        raise ValueError("position or direction")
    if abs(directions[0] @ directions[1]) > 1e-2:
        raise ValueError("rows and columns are not perpendicular")
    written = measures.get("SliceThickness")
    thickness = float(written) if written not in (None, "") else 0.0
    return DicomSlice(
        file,
        frame,
        place,
        directions / lengths[:, None],
        (rows_apart, columns_apart),
        thickness if np.isfinite(thickness) and thickness > 0 else None,
        shape=(int(header.Rows), int(header.Columns)),
        samples=int(header.get("SamplesPerPixel") or 1),
        series=str(header.get("SeriesInstanceUID", "")),
        number=int(header.get("SeriesNumber") or 0),
        modality=code_word(header.get("Modality")),
        study=_fingerprint(header.get("StudyInstanceUID")),
        patient=_fingerprint(header.get("PatientID")),
        traits=traits,
    )


def code_word(value: Any) -> str:
    """A word of DICOM's own, as "MR"; nothing for anything else: a damaged tag may hold the patient's name."""
    word = str(value or "").strip().upper()
    return word if re.fullmatch(r"[A-Z]{2,8}", word) else ""


def _traits(header: Dataset) -> dict[str, str]:
    found = {name: _text(header.get(keyword)) for name, keyword in FILE_TRAITS.items()}
    return {name: value for name, value in found.items() if value}


def _text(value: Any) -> str:
    """Numbers to four digits, so that rounding tells nothing apart; other values as DICOM writes them."""
    if value is None or value == "":
        return ""
    if not isinstance(value, (str, int, float)) and hasattr(value, "__iter__"):
        return "\\".join(map(_text, value))
    try:
        return f"{float(value):.4g}" if not isinstance(value, str) else value.strip()
    except (TypeError, ValueError):
        return str(value).strip()


def _fingerprint(value: Any) -> str:
    return hashlib.sha256(str(value).encode(errors="replace")).hexdigest() if value else ""
