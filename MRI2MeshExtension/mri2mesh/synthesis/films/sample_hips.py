"""The front view among the samples: hips, sacrum, femora and lower spine that are nobody's, on a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import make_case
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.region_shapes import joint_shapes
from mri2mesh.synthesis.films.spines import draw_spines
from mri2mesh.synthesis.films.views import View

NAME = "hips_front"
SIZE, FIELD_MM = 320, 410.0
SOURCE_TO_DETECTOR_MM, SOURCE_TO_HIPS_MM = 1150.0, 1010.0
SEED, SPINE_SEED, BITS = 12, 11, 12


def write_hips(folder: Path) -> Path:
    """One DX image with the distances in its tags and nobody's name."""
    rng = np.random.default_rng(SEED)
    maker = RegionMaker(joint_shapes(read_shape_model("pelvis_femur")), draw_spines(1, SPINE_SEED))
    region = maker.draw(rng, strength=0.7)
    case = make_case(maker, region, View(_camera(region), False, "table"), rng)
    image = develop(case, rng, Appearance(metal=0.0, text=0.0, collimation=0.0))
    on = case.truth.mask[: len(BONES)].any(0)
    if image[::2, ::2][on].mean() < image[::2, ::2][~on].mean():
        image = -image  # shown as films are: bone bright
    path = folder / f"{NAME}.dcm"
    _dataset(image).save_as(path, enforce_file_format=True)
    return path


def _camera(region: PosedRegion) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=SOURCE_TO_DETECTOR_MM,
        source_to_isocentre_mm=SOURCE_TO_HIPS_MM,
        pixel_spacing_mm=(FIELD_MM / SIZE, FIELD_MM / SIZE),
        size=(SIZE, SIZE),
        primary_angle_deg=180.0,
        isocentre_ras_mm=region.hips_ras_mm.mean(axis=0) + [0, 0, 25.0],
    )


def _dataset(image: NDArray) -> Dataset:
    full = 2**BITS - 1
    pixels = np.rint(full * (np.clip(image, -1.5, 1.5) + 1.5) / 3).astype("<u2")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    instance = generate_uid(entropy_srcs=["MRI2Mesh sample", NAME])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = instance
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["MRI2Mesh sample study", NAME])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["MRI2Mesh sample series", NAME])
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "PELVIS", "AP"
    dataset.PatientName, dataset.PatientID = "Simulated^Hips", "MRI2Mesh sample"
    dataset.SeriesDescription, dataset.ImageType = "simulated hips, front", ["DERIVED", "PRIMARY"]
    dataset.PatientOrientation = ["L", "F"]  # hung as seen from the front
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.DistanceSourceToDetector = SOURCE_TO_DETECTOR_MM
    dataset.DistanceSourceToPatient = SOURCE_TO_HIPS_MM
    dataset.ImagerPixelSpacing = [FIELD_MM / SIZE, FIELD_MM / SIZE]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS, BITS - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    return dataset
