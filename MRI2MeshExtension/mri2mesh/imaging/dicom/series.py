"""Which volumes a folder of DICOM files holds. Reads headers only; keeps nothing that names the patient.

References are to the DICOM attributes (PS3.3): Image Plane C.7.6.2, Multi-frame Functional Groups C.7.6.16.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.orientation import slice_plane

TAGS = [
    "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "Modality", "ImageType", "EchoNumbers",
    "TemporalPositionIdentifier", "Rows", "Columns", "SamplesPerPixel", "NumberOfFrames",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
SAME_DIRECTION = 1e-3
"""Largest difference between direction cosines of slices that belong together."""


@dataclass(frozen=True)
class DicomSlice:
    """One slice: a file, or one frame of a multi-frame file. Lengths in mm, directions and position in LPS.

    orientation: [2, 3] unit vectors along a row (to the next column) and down a column (to the next row).
    spacing: between rows, between columns (Pixel Spacing, 0028,0030). thickness: Slice Thickness (0018,0050).
    """

    path: Path
    frame: int
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing: tuple[float, float]
    thickness: float | None


@dataclass
class DicomSeries:
    """Slices that can form one volume: same series, size, direction, kind of image and echo."""

    key: tuple[str, ...]
    number: int
    modality: str
    shape: tuple[int, int]
    samples: int
    slices: list[DicomSlice] = field(default_factory=list)

    @property
    def normal(self) -> NDArray[np.float64]:
        """[3] LPS; right-handed with rows and columns."""
        row, column = self.slices[0].orientation
        return np.cross(row, column)

    def describe(self) -> str:
        """For choosing among several: plane, number of slices and their size; nothing of the patient."""
        rows, columns = self.shape
        return f"{slice_plane(self.normal)}, {len(self.slices)} slices of {columns} x {rows}"


def find_series(path: Path) -> list[DicomSeries]:
    """Every stack of slices in a folder and its subfolders, or that one file is part of, in series order.

    Raises InputError when there is no DICOM image, none placed in
    the patient, or one is damaged.
    """
    files = (
        sorted(p for p in path.parent.iterdir() if p.is_file())
        if path.is_file()
        else list(_files_below(path))
    )
    series: list[DicomSeries] = []
    seen: set[str] = set()
    images = 0
    for file in files:
        header = _header(file)
        if header is None or "Rows" not in header or "Columns" not in header:
            continue
        images += 1
        identity = str(header.get("SOPInstanceUID", file))
        if identity in seen:  # the same image exported twice
            continue
        seen.add(identity)
        try:
            for one in _slices(file, header):
                _sort_in(series, header, one)
        except InputError:
            raise
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise InputError(
                "a DICOM image has a position, direction or spacing that cannot be used: export it again"
            ) from error
    if not images:
        raise InputError("no DICOM image found: give the folder of one series, or a NIfTI, NRRD or MHA file")
    if not series:
        raise InputError(
            "the DICOM images have no place in the patient (Image Position, Pixel Spacing): not a volume"
        )
    if path.is_file():
        series = [s for s in series if any(one.path == path for one in s.slices)]
        if not series:
            raise InputError("this DICOM file is not a slice of a volume: give the folder of one series")
    return sorted(series, key=lambda s: (s.number, s.key))


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in sorted(names))


def _header(file: Path) -> Dataset | None:
    """Tags of one file, or None when it is not DICOM."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS)
    except Exception:  # pydicom raises many kinds for files that are not, or are half, DICOM
        return None


def _slices(file: Path, header: Dataset) -> Iterator[DicomSlice]:
    """The slices of one file; none where it has no place in the patient."""
    frames = header.get("PerFrameFunctionalGroupsSequence")
    if not frames:
        if all(
            header.get(name) for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
        ):
            yield _slice(file, 0, header, header, header)
        return
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    for number, frame in enumerate(frames):
        groups = [
            (frame.get(name) or shared.get(name) or [None])[0]
            for name in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        ]
        if None not in groups:
            yield _slice(file, number, *groups)


def _slice(file: Path, frame: int, position: Dataset, orientation: Dataset, measures: Dataset) -> DicomSlice:
    """Raises ValueError where a number is missing, not finite or impossible; InputError for the spacing."""
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
    )


def _sort_in(series: list[DicomSeries], header: Dataset, one: DicomSlice) -> None:
    """Adds a slice to the stack it belongs to, a new one if there is none."""
    shape = int(header.Rows), int(header.Columns)
    identity = ("SeriesInstanceUID", "ImageType", "EchoNumbers", "TemporalPositionIdentifier")
    key = tuple(str(header.get(name, "")) for name in identity)
    for candidate in series:
        same_way = np.abs(candidate.slices[0].orientation - one.orientation).max() < SAME_DIRECTION
        same_size = candidate.shape == shape and np.allclose(
            candidate.slices[0].spacing, one.spacing, rtol=1e-3
        )
        if candidate.key == key and same_way and same_size:
            candidate.slices.append(one)
            return
    number = int(header.get("SeriesNumber") or 0)
    samples = int(header.get("SamplesPerPixel") or 1)
    series.append(DicomSeries(key, number, str(header.get("Modality") or ""), shape, samples, [one]))
