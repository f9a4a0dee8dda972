"""Small whole files of every kind that the readers take, from which the fuzz makes damaged and hostile ones."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from imaging.dicom_files import PATIENT, write_multiframe, write_series
from imaging.radiographs.radiograph_files import CArm, with_dark_ball, write_radiograph
from mri2mesh.anatomy.shape_models.file import read_shape_model, write_shape_model
from mri2mesh.imaging.kind import kind_of
from mri2mesh.imaging.radiographs.camera_file import read_camera
from mri2mesh.imaging.radiographs.markups_file import read_markups
from mri2mesh.imaging.radiographs.masks.bone import read_bone_mask
from mri2mesh.imaging.radiographs.picked_landmarks import pixels_in_image
from mri2mesh.imaging.radiographs.reading import read_radiograph, read_without_masks
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.weights_manifest import read_manifest

SHAPE = (4, 8, 10)
RADIOGRAPH = (40, 44)
CAMERA = {
    "source_to_detector_mm": 1100, "source_to_isocentre_mm": 780, "pixel_spacing_mm": [1.2, 1.2], "size": [40, 44],
    "primary_angle_deg": 10.5, "isocentre_ras_mm": [0, 0, 0], "seen_from": "front", "image_rotation_deg": 90,
    "origin": {"pixel_spacing_mm": "calibrated"},
}  # fmt: skip
MARKUPS = {
    "markups": [
        {
            "type": "Fiducial",
            "coordinateSystem": "LPS",
            "controlPoints": [
                {"label": "asis_left", "position": [1.5, -2.0, 0.0], "positionStatus": "defined"},
                {"label": "asis_right", "position": [3, 4, 0]},
            ],
        }
    ]
}
MANIFEST = {
    "format": 1,
    "weights": [
        {
            "name": "one", "file": "one.safetensors", "sha256": "a" * 64, "licence": "MIT", "origin": "nowhere",
            "metadata": {"levels": [1, 2, 3]},
        }
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """One whole file. read: reads the mutated file at a path of its name, in a folder that holds `beside` too."""

    name: str
    data: bytes
    read: Callable[[Path], Any]
    beside: tuple[tuple[str, bytes], ...] = ()


def seeds(folder: Path) -> list[Seed]:
    """All seeds, the same every time. folder: an empty one to work in."""
    return [*_volumes(folder), *_dicom(folder), *_radiographs(folder), *_texts(folder)]


def _volumes(folder: Path) -> Iterator[Seed]:
    array = np.random.default_rng(1).integers(0, 900, SHAPE).astype(np.int16)
    matrix = np.array([[0.7, 0.1, 0, 5], [-0.1, 0.8, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]])
    matrix[:3, :2] /= np.linalg.norm(matrix[:3, :2], axis=0) / [0.7, 0.8]
    matrix[:3, 1] = 0.8 * np.cross([0, 0, 1], matrix[:3, 0] / 0.7)
    nibabel.save(nibabel.Nifti1Image(array.T, matrix), folder / "a.nii")
    nibabel.save(nibabel.Nifti1Image(array.T.astype(np.float32) / 7, matrix), folder / "f.nii")
    plain = (folder / "a.nii").read_bytes()
    yield Seed("image.nii", plain, read_volume)
    yield Seed("float.nii", (folder / "f.nii").read_bytes(), read_volume)
    yield Seed("image.nii.gz", gzip.compress(plain, mtime=0), read_volume)
    yield Seed("image.nii.bz2", bz2.compress(plain), read_volume)
    yield Seed("image.nii.xz", lzma.compress(plain), read_volume)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.8, 4.0))
    for ending, compressed in ((".nrrd", False), (".nrrd", True), (".mha", False), (".mha", True)):
        sitk.WriteImage(image, str(folder / f"b{ending}"), useCompression=compressed)
        yield Seed(f"image{int(compressed)}{ending}", (folder / f"b{ending}").read_bytes(), read_volume)
    for ending, data_ending in ((".nhdr", ".raw"), (".mhd", ".raw")):
        sitk.WriteImage(image, str(folder / f"c{ending}"))
        beside = (("c" + data_ending, (folder / f"c{data_ending}").read_bytes()),)
        yield Seed(f"detached{ending}", (folder / f"c{ending}").read_bytes(), read_volume, beside)


def _dicom(folder: Path) -> Iterator[Seed]:
    array = np.random.default_rng(2).integers(0, 900, SHAPE).astype(np.uint16)
    matrix = np.diag([0.7, 0.8, 4.0, 1.0])
    paths = write_series(
        folder / "series",
        array,
        matrix,
        shuffle=False,
        EchoTime="100",
        RescaleSlope="2",
        RescaleIntercept="-1",
    )
    others = tuple((path.name, path.read_bytes()) for path in paths[1:])
    yield Seed("IM0000", paths[0].read_bytes(), lambda path: read_volume(path.parent), others)
    write_multiframe(folder / "enhanced", array, matrix, [2, 0, 1, 3])
    whole = (folder / "enhanced").read_bytes()
    yield Seed("enhanced", whole, read_volume)
    yield Seed("bare", whole[132:], read_volume)
    dataset = pydicom.dcmread(folder / "enhanced")
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(folder / "deflated", enforce_file_format=True)
    yield Seed("deflated", (folder / "deflated").read_bytes(), read_volume)
    dataset = pydicom.dcmread(folder / "enhanced")
    dataset.compress(RLELossless)
    dataset.save_as(folder / "rle", enforce_file_format=True)
    yield Seed("rle", (folder / "rle").read_bytes(), read_volume)


def _radiographs(folder: Path) -> Iterator[Seed]:
    pixels = with_dark_ball(np.array([20.0, 20.0]), RADIOGRAPH)
    write_radiograph(
        folder / "xa", pixels, **CArm().tags(), FieldOfViewRotation=90, PatientOrientation=["L", "F"],
        RescaleSlope="1", RescaleIntercept="0", ShutterShape="CIRCULAR", CenterOfCircularShutter=[20, 20],
        RadiusOfCircularShutter=30, PixelPaddingValue=7,
    )  # fmt: skip
    yield Seed("xa", (folder / "xa").read_bytes(), read_without_masks)
    bright = (pixels // 12).astype(np.uint8)
    grey, colour = (
        sitk.GetImageFromArray(bright),
        sitk.GetImageFromArray(np.stack([bright] * 3, -1), isVector=True),
    )
    sitk.WriteImage(sitk.GetImageFromArray(pixels), str(folder / "deep.png"))
    yield Seed("deep.png", (folder / "deep.png").read_bytes(), read_without_masks)
    for ending in (".png", ".tif", ".jpg", ".bmp"):
        sitk.WriteImage(grey, str(folder / f"grey{ending}"))
        yield Seed(f"grey{ending}", (folder / f"grey{ending}").read_bytes(), read_without_masks)
        sitk.WriteImage(colour, str(folder / f"rgb{ending}"))
        yield Seed(f"rgb{ending}", (folder / f"rgb{ending}").read_bytes(), read_without_masks)
    mask = (folder / "grey.png").read_bytes()
    yield Seed("masked.png", mask, read_radiograph)
    yield Seed("mask.png", mask, lambda path: read_bone_mask(path, RADIOGRAPH))
    yield Seed("clicked.png", mask, lambda path: pixels_in_image({"top": (1.0, 2.0, 0.0)}, path))
    yield Seed("kind", (folder / "xa").read_bytes(), kind_of)


def _texts(folder: Path) -> Iterator[Seed]:
    yield Seed("camera.json", json.dumps(CAMERA).encode(), lambda path: read_camera(path, RADIOGRAPH))
    yield Seed("points.mrk.json", json.dumps(MARKUPS).encode(), read_markups)
    yield Seed("manifest.json", json.dumps(MANIFEST).encode(), lambda path: read_manifest(path.parent))
    from anatomy.toy_shapes import stretching_ball

    write_shape_model(stretching_ball(), folder / "ball.npz")
    yield Seed("ball.npz", (folder / "ball.npz").read_bytes(), read_shape_model)


PRIVATE = (PATIENT, "12345")
"""What no message may show."""
