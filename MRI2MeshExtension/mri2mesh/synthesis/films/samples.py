"""The radiographs among the samples: a pelvis that is nobody's, drawn from the shape model, in two views of a C-arm,
and the hips and the lumbar spine of others from the front.

``python -m mri2mesh.synthesis.films.samples FOLDER`` makes them anew, always the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, XRayAngiographicImageStorage, generate_uid

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry, assumed_geometry
from mri2mesh.synthesis.films.lumbar.sample import write_lumbar
from mri2mesh.synthesis.films.sample_hips import write_hips
from mri2mesh.synthesis.films.single_bone import radiograph

SIZE = 320
SPACING_MM = 1.2
ANGLES_DEG = {"pelvis_front": 0.0, "pelvis_oblique": 35.0}
"""Name of the file to the positioner's primary angle."""
SEED, VARIATION = 7, 0.6
BITS = 12
DARKEST = 4.0
"""-log(I / I_max) that is stored as zero light."""


def write_samples(folder: Path) -> list[Path]:
    """One DICOM file per view, with the geometry in its tags and nobody's name."""
    model, rng = read_shape_model("pelvis"), np.random.default_rng(SEED)
    vertices = model.vertices(VARIATION * model.sample(rng))
    vertices = vertices - vertices.mean(0)
    bones = [model.surface(vertices, part) for part in model.part_names]
    paths = []
    for name, angle in ANGLES_DEG.items():
        geometry = _geometry(angle)
        attenuation = radiograph(bones, geometry.camera(), rng)
        paths.append(folder / f"{name}.dcm")
        _dataset(attenuation, geometry, name).save_as(paths[-1], enforce_file_format=True)
    return [*paths, write_hips(folder), write_lumbar(folder)]


def _geometry(angle: float) -> XrayGeometry:
    return assumed_geometry((SIZE, SIZE), "c-arm").with_values(
        "tag",
        source_to_detector_mm=1100.0,
        source_to_isocentre_mm=780.0,
        primary_angle_deg=angle,
        secondary_angle_deg=0.0,
        pixel_spacing_mm=(SPACING_MM, SPACING_MM),
    )


def _dataset(attenuation: NDArray, geometry: XrayGeometry, name: str) -> Dataset:
    """Linear intensities, bright where the beam came through; identifiers follow from the name."""
    full = 2**BITS - 1
    pixels = np.rint(full * np.exp(-np.clip(attenuation, 0, DARKEST))).astype("<u2")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = XRayAngiographicImageStorage
    instance = generate_uid(entropy_srcs=["MRI2Mesh sample", name])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = instance
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["MRI2Mesh sample study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["MRI2Mesh sample series", name])
    dataset.Modality, dataset.BodyPartExamined = "XA", "PELVIS"
    dataset.PatientName, dataset.PatientID = "Simulated^Pelvis", "MRI2Mesh sample"
    dataset.SeriesDescription, dataset.ImageType = f"simulated {name}", ["DERIVED", "PRIMARY", "SINGLE PLANE"]
    dataset.PatientOrientation = ["L", "F"]  # hung as seen from the front
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LIN", 1
    dataset.PositionerPrimaryAngle = geometry.primary_angle_deg.value
    dataset.PositionerSecondaryAngle = geometry.secondary_angle_deg.value
    dataset.DistanceSourceToDetector = geometry.source_to_detector_mm.value
    dataset.DistanceSourceToPatient = geometry.source_to_isocentre_mm.value
    dataset.ImagerPixelSpacing = list(geometry.pixel_spacing_mm.value)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS, BITS - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    return dataset


if __name__ == "__main__":
    for written in write_samples(Path(sys.argv[1])):
        print(written)
