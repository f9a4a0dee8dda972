"""One radiograph from a DICOM file: XA, RF, DX, CR and enhanced XA or XRF, one frame of a run.

Neither keeps nor passes on an attribute that names the patient, the staff, the place or the time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from mri2mesh.errors import InputError
from mri2mesh.imaging.dicom.pixels import open_dicom
from mri2mesh.imaging.dicom.slices import code_word
from mri2mesh.imaging.radiographs.camera_file import read_camera
from mri2mesh.imaging.radiographs.pixels import attenuation, padding, stored_values
from mri2mesh.imaging.radiographs.radiograph import Bone, Radiograph
from mri2mesh.imaging.radiographs.tags.detector import with_detector
from mri2mesh.imaging.radiographs.tags.projection import with_projection
from mri2mesh.imaging.radiographs.tags.shutter import shuttered
from mri2mesh.imaging.radiographs.tags.values import FrameTags
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry, assumed_geometry

MODALITIES: dict[str, Literal["c-arm", "table"]] = {
    "XA": "c-arm", "RF": "c-arm", "DX": "table", "CR": "table", "RG": "table", "OT": "table", "SC": "table",
}  # fmt: skip
"""Modality (0008,0060) of what can be a radiograph to the kind of machine assumed."""
ELSEWHERE = (
    "CHEST", "THORAX", "RIB", "LUNG", "HEART", "CORONARY", "STERNUM", "CLAVICLE", "SCAPULA", "BREAST",
    "SKULL", "HEAD", "BRAIN", "FACE", "JAW", "MANDIBLE", "TEETH", "DENTAL", "SINUS", "ORBIT", "NECK", "CSPINE",
    "TSPINE", "SHOULDER", "HUMERUS", "ELBOW", "FOREARM", "WRIST", "HAND", "FINGER", "THUMB", "ARM",
    "ANKLE", "FOOT", "TOE", "CALCANEUS",
)  # fmt: skip
"""Values of Body Part Examined (0018,0015) where no pelvis, femur or lumbar spine can be in the picture."""


def read_radiograph_dicom(
    path: Path, camera: Path | None = None, frame: int | None = None, bone: Bone | None = None
) -> Radiograph:
    """A radiograph with the geometry of its tags, or of camera.json, which replaces all of them.

    frame: of a multi-frame image, from 1. By default Representative Frame Number (0028,6010), else the middle
    one (exposure control has settled by then); of a run during which the C-arm moves the first one, because
    the angles of a classic image are those of its first frame.
    bone: how it is shown, where the tags say it wrongly or not at all.
    Raises InputError for what is not a radiograph of the pelvis, femur or lumbar spine, is in colour,
    damaged, or has tags that are not possible or contradict each other.
    """
    try:
        return _read(path, camera, frame, bone)
    except (InputError, OSError, MemoryError):
        raise
    except Exception as error:  # pydicom raises many kinds where a header breaks its format
        raise InputError("the DICOM header is damaged: export the image again") from error


def _read(path: Path, camera: Path | None, frame: int | None, bone: Bone | None) -> Radiograph:
    dataset = _header(path)
    kind = _check_kind(dataset)
    number = _frame(dataset, frame)
    tags = FrameTags(dataset, number)
    size = int(dataset.Rows), int(dataset.Columns)
    values = stored_values(path, dataset, number)
    padded = padding(values, dataset)
    pixels, scale, notes = attenuation(values, tags, padded, bone)
    if camera is not None:
        geometry = read_camera(camera, size, kind)
    else:
        geometry, more = _geometry(tags, size, kind)
        notes += more
        if number and _moving(dataset):
            raise InputError(
                "the C-arm moves during this run and only the angles of the first frame are certain: "
                "choose frame 1, or give the geometry of this frame with --camera"
            )
    if tags.word("BurnedInAnnotation") == "YES":
        notes += ("text may be burned into the image (Burned In Annotation): it is masked where it is found",)
    metadata = {"modality": tags.word("Modality"), "body_part": code_word(tags.word("BodyPartExamined"))}
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        metadata["frame"] = f"{number + 1} of {int(dataset.NumberOfFrames)}"
    areas: dict[str, NDArray[np.bool_]] = {"padding": padded, "collimator": shuttered(tags, size)}
    return Radiograph(
        pixels,
        geometry,
        scale,
        {name: area for name, area in areas.items() if area.any()},
        {name: value for name, value in metadata.items() if value},
        notes,
    )


def _geometry(
    tags: FrameTags, size: tuple[int, int], kind: Literal["c-arm", "table"]
) -> tuple[XrayGeometry, tuple[str, ...]]:
    geometry, notes = with_projection(tags, assumed_geometry(size, kind))
    geometry, more = with_detector(tags, geometry, c_arm=kind == "c-arm")
    return geometry, notes + more


def _header(path: Path) -> Dataset:
    try:
        return open_dicom(path, stop_before_pixels=True)
    except Exception as error:  # pydicom raises many kinds for files that are not, or are half, DICOM
        raise InputError("the file is not DICOM, or is damaged: export the image again") from error


def _check_kind(dataset: Dataset) -> Literal["c-arm", "table"]:
    """Which kind of machine to assume. Raises InputError for what is not a usable radiograph."""
    modality = str(dataset.get("Modality") or "").upper()
    if modality not in MODALITIES:
        raise InputError(
            f"this is not a radiograph but an image of modality {code_word(modality) or '(none)'}: "
            "give an XA, RF, DX or CR image"
        )
    if any(int(dataset.get(name) or 0) < 1 for name in ("Rows", "Columns", "BitsStored", "BitsAllocated")):
        raise InputError("the DICOM file holds no image: export it again")
    grey = str(dataset.get("PhotometricInterpretation") or "").startswith("MONOCHROME")
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or not grey:
        raise InputError("the image is in colour: give the grey-scale radiograph itself, not a picture of it")
    part = str(dataset.get("BodyPartExamined") or "").upper()
    named = [word for word in ELSEWHERE if word in part.replace("-", "").replace(" ", "")]
    if named:  # said by the word that was recognised: the tag itself may hold anything
        raise InputError(
            f"the tags say that this is a radiograph of the {named[0].lower()}: give one of the pelvis, the hip, the "
            "femur or the lumbar spine (if the tag is wrong, correct Body Part Examined)"
        )
    return MODALITIES[modality]


def _frame(dataset: Dataset, asked: int | None) -> int:
    """The frame to read, from 0."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if asked is not None:
        if not 1 <= asked <= frames:
            raise InputError(f"there is no frame {asked}: choose one of 1 to {frames}")
        return asked - 1
    if _moving(dataset):
        return 0
    chosen = int(dataset.get("RepresentativeFrameNumber") or 0)
    return chosen - 1 if 1 <= chosen <= frames else frames // 2


def _moving(dataset: Dataset) -> bool:
    """A classic image taken while the C-arm turned; enhanced ones give the angles of every frame."""
    per_frame = "PerFrameFunctionalGroupsSequence" in dataset
    return str(dataset.get("PositionerMotion") or "").upper() == "DYNAMIC" and not per_frame
