"""Small real DICOM files: MR series as a scanner sends them, one file per slice or one multi-frame file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

PATIENT = "Doe^Jane"
LPS = np.diag([-1.0, -1.0, 1.0])


def write_series(
    folder: Path, array: np.ndarray, ijk_to_ras: np.ndarray, *, shuffle: bool = True, **tags: Any
) -> list[Path]:
    """One file per slice of [K, J, I] unsigned 16 bit; names in no order.

    Tags override what is written, lists of K values slice by slice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    series_uid = generate_uid()
    names = np.random.default_rng(0).permutation(len(array)) if shuffle else np.arange(len(array))
    paths = []
    for k, pixels in enumerate(array):
        dataset = _image(pixels, MRImageStorage)
        dataset.SeriesInstanceUID = series_uid
        dataset.InstanceNumber = k + 1
        _place(dataset, dataset, dataset, ijk_to_ras, k)
        for name, value in tags.items():
            per_slice = isinstance(value, list) and len(value) == len(array)
            setattr(dataset, name, value[k] if per_slice else value)
        path = folder / f"IM{names[k]:04d}"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def write_multiframe(path: Path, array: np.ndarray, ijk_to_ras: np.ndarray, order: list[int]) -> None:
    """One enhanced MR file whose frames are the slices in this order."""
    dataset = _image(array[order], EnhancedMRImageStorage)
    dataset.SeriesInstanceUID = generate_uid()
    dataset.NumberOfFrames = len(array)
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    frames = []
    for k in order:
        position, frame = Dataset(), Dataset()
        _place(position, orientation, measures, ijk_to_ras, k)
        frame.PlanePositionSequence = [position]
        frames.append(frame)
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    dataset.SharedFunctionalGroupsSequence, dataset.PerFrameFunctionalGroupsSequence = [shared], frames
    dataset.save_as(path, enforce_file_format=True)


def _image(pixels: np.ndarray, kind: str) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = kind
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.PatientName, dataset.PatientID, dataset.StudyDate = PATIENT, "12345", "20200102"
    dataset.SeriesDescription = f"lumbar {PATIENT}"
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = generate_uid(), generate_uid()
    dataset.Modality, dataset.SeriesNumber = "MR", 3
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = pixels.astype("<u2").tobytes()
    return dataset


def _place(
    position: Dataset, orientation: Dataset, measures: Dataset, ijk_to_ras: np.ndarray, k: int
) -> None:
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    row, column = (LPS @ ijk_to_ras[:3, :2] / spacing[:2]).T
    centre = LPS @ (ijk_to_ras @ [0, 0, k, 1])[:3]
    position.ImagePositionPatient = [f"{value:.6f}" for value in centre]
    orientation.ImageOrientationPatient = [f"{value:.9f}" for value in (*row, *column)]
    measures.PixelSpacing = [f"{spacing[1]:.6f}", f"{spacing[0]:.6f}"]
    measures.SliceThickness = "3.5"
