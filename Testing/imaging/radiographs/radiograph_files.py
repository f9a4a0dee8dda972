"""Radiographs as files: one ball in the patient, projected by hand onto a detector, read out, turned and stored.

Nothing here uses the library's cameras: the projection follows the definition of the positioner angles, so that
a wrong sign, a swapped axis or a mirrored image is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import DigitalXRayImageStorageForPresentation, XRayAngiographicImageStorage, generate_uid

from imaging.dicom_files import _image

ELEMENT_MM = 0.4
DETECTOR = (240, 320)
"""Rows and columns of elements."""


@dataclass(frozen=True)
class CArm:
    """A C-arm whose detector, seen from behind looking towards the source, has the head at the top."""

    primary_deg: float = 0.0
    secondary_deg: float = 0.0
    sid_mm: float = 1000.0
    sod_mm: float = 700.0

    def element(self, point_lps: tuple[float, float, float]) -> np.ndarray:
        """[2] (row, column) of the detector element where a point lies, 0 at the centre of the first."""
        a, b = np.radians(self.primary_deg), np.radians(self.secondary_deg)
        to_detector = np.array([np.sin(a) * np.cos(b), -np.cos(a) * np.cos(b), np.sin(b)])
        up = np.array([-np.sin(a) * np.sin(b), np.cos(a) * np.sin(b), np.cos(b)])
        right = np.cross(-to_detector, up)
        from_source = np.asarray(point_lps, dtype=float) + self.sod_mm * to_detector
        larger = self.sid_mm / (from_source @ to_detector)
        across = larger * np.array([-(from_source @ up), from_source @ right]) / ELEMENT_MM
        return (np.array(DETECTOR) - 1) / 2 + across

    def tags(self) -> dict[str, Any]:
        return {
            "PositionerPrimaryAngle": self.primary_deg,
            "PositionerSecondaryAngle": self.secondary_deg,
            "DistanceSourceToDetector": self.sid_mm,
            "DistanceSourceToPatient": self.sod_mm,
            "ImagerPixelSpacing": [ELEMENT_MM, ELEMENT_MM],
        }


def with_dark_ball(element: np.ndarray, shape: tuple[int, int] = DETECTOR, radius: float = 5.0) -> np.ndarray:
    """[rows, columns] uint16: bright, with a smooth dark ball at (row, column)."""
    rows, columns = np.indices(shape)
    depth = np.exp(-((rows - element[0]) ** 2 + (columns - element[1]) ** 2) / (2 * radius**2))
    return np.rint(3000 - 2000 * depth).astype(np.uint16)


def darkest_place(attenuation: np.ndarray) -> np.ndarray:
    """[2] (column, row): the middle of what absorbs most."""
    weight = np.clip(attenuation - 0.5 * attenuation.max(), 0, None)
    rows, columns = np.indices(attenuation.shape)
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def write_radiograph(path: Path, pixels: np.ndarray, modality: str = "XA", **tags: Any) -> Path:
    """A DICOM radiograph of [rows, columns] or [frames, rows, columns] unsigned 16 bit; None removes a tag."""
    kind = XRayAngiographicImageStorage if modality == "XA" else DigitalXRayImageStorageForPresentation
    dataset = _image(pixels, kind)
    dataset.Modality, dataset.SeriesInstanceUID = modality, generate_uid()
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LIN", 1
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    for name, value in tags.items():
        if value is None:
            del dataset[name]
        else:
            setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)
    return path
