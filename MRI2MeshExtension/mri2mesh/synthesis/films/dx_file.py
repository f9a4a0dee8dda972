"""A simulated film as the DX image that a table writes: its distances in the tags, and nobody's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

_BITS = 12


@dataclass(frozen=True)
class DxFilm:
    """name: of the file, without its ending, and what the identifiers follow from. body_part: as in DICOM. person: of
    nobody. distances and the side of a pixel in mm."""

    name: str
    body_part: str
    person: str
    description: str
    source_to_detector_mm: float
    source_to_patient_mm: float
    pixel_mm: float


def write_dx(folder: Path, film: DxFilm, image: NDArray) -> Path:
    """image: [H, W] standardised, bone bright, an AP view hung as seen from the front. Returns the file."""
    path = folder / f"{film.name}.dcm"
    _dataset(film, image).save_as(path, enforce_file_format=True)
    return path


def _dataset(film: DxFilm, image: NDArray) -> Dataset:
    full = 2**_BITS - 1
    pixels = np.rint(full * (np.clip(image, -1.5, 1.5) + 1.5) / 3).astype("<u2")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    instance = generate_uid(entropy_srcs=["MRI2Mesh sample", film.name])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = instance
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["MRI2Mesh sample study", film.name])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["MRI2Mesh sample series", film.name])
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", film.body_part, "AP"
    dataset.PatientName, dataset.PatientID = film.person, "MRI2Mesh sample"
    dataset.SeriesDescription, dataset.ImageType = film.description, ["DERIVED", "PRIMARY"]
    dataset.PatientOrientation = ["L", "F"]  # hung as seen from the front
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.DistanceSourceToDetector = film.source_to_detector_mm
    dataset.DistanceSourceToPatient = film.source_to_patient_mm
    dataset.ImagerPixelSpacing = [film.pixel_mm, film.pixel_mm]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, _BITS, _BITS - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    return dataset
