"""One radiograph from a file, or one clear line on why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.imaging.files import PICTURES, beginning_of, content_of, refuse_unknown, require_file
from mri2mesh.imaging.radiographs.camera_file import read_camera
from mri2mesh.imaging.radiographs.dicom import read_radiograph_dicom
from mri2mesh.imaging.radiographs.masks.mask import round_field_is_dark, with_masks
from mri2mesh.imaging.radiographs.picture import read_picture
from mri2mesh.imaging.radiographs.radiograph import Bone, Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry

LEAST_SIZE = 32
NOT_A_RADIOGRAPH = "the file is not a radiograph this program reads (DICOM, PNG, TIFF, JPEG, BMP)"


def read_radiograph(
    path: str | Path,
    camera: str | Path | None = None,
    *,
    frame: int | None = None,
    bone: Bone | None = None,
) -> Radiograph:
    """A radiograph from DICOM (XA, RF, DX, CR) or a grey picture, with what must not be fitted masked.

    camera: camera.json (see `camera_file`); it replaces every value of the DICOM tags. Without it a picture's
    geometry is assumed, and the scale unknown. frame: of a DICOM run, from 1.
    bone: how a picture shows bone; by default as the round field of an image
    intensifier shows what got no beam, and bright where there is none.
    Raises InputError for a missing file, what is not a radiograph, is in colour, damaged or too small, shows
    another part of the body, or has a geometry that is not possible. No message names the file or the patient.
    """
    return with_masks(read_without_masks(path, camera, frame=frame, bone=bone))


def read_without_masks(
    path: str | Path,
    camera: str | Path | None = None,
    *,
    frame: int | None = None,
    bone: Bone | None = None,
) -> Radiograph:
    """`read_radiograph` up to the masks that are found in the picture, which take most of its time."""
    path, camera = Path(path), None if camera is None else Path(camera)
    try:
        radiograph = _read(path, camera, frame, bone)
    except OSError as error:
        raise InputError(
            "the radiograph cannot be read: check that the path and its permissions are right"
        ) from error
    return replace(radiograph, polarity_given=bone is not None)


def _read(path: Path, camera: Path | None, frame: int | None, bone: Bone | None) -> Radiograph:
    require_file(path, "no such file: check the path of the radiograph")
    if path.is_dir():
        raise InputError("a radiograph is one file: give the file itself, not its folder")
    beginning = beginning_of(path)
    if not beginning:
        raise InputError("the radiograph file is empty: copy or export it again")
    content = content_of(beginning)
    if content == "dicom":
        return read_radiograph_dicom(path, camera, frame, bone)
    if content not in PICTURES:
        raise refuse_unknown(beginning, NOT_A_RADIOGRAPH)
    if frame not in (None, 1):
        raise InputError(f"a picture has one frame, not a frame {frame}: leave it out")
    return _read_picture(path, camera, bone)


def _read_picture(path: Path, camera: Path | None, bone: Bone | None) -> Radiograph:
    grey, marks = read_picture(path)
    rows, columns = grey.shape
    if min(rows, columns) < LEAST_SIZE:
        raise InputError(
            f"the picture has only {rows} x {columns} pixels: give the radiograph in full resolution"
        )
    low, high = float(grey.min()), float(grey.max())
    bright = ((grey - low) / (high - low)).astype(np.float32)
    notes: tuple[str, ...] = ()
    dark_outside = round_field_is_dark(bright)
    if bone is None:
        # What lies outside the round field of an intensifier got no beam at all.
        bone = "dark" if dark_outside else "bright"
        notes = (f"bone is taken to be shown {bone}",)
    kind: Literal["c-arm", "table"] = "table" if dark_outside is None else "c-arm"
    size = rows, columns
    geometry = assumed_geometry(size, kind) if camera is None else read_camera(camera, size, kind)
    radiograph = Radiograph(1 - bright if bone == "dark" else bright, geometry, "display", warnings=notes)
    return replace(radiograph, unusable={"overlay": marks}) if marks.any() else radiograph
