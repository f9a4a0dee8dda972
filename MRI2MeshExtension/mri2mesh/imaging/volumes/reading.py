"""One volume from a file or folder, or one clear line on why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.dicom.volume import MIN_SLICES, read_dicom
from mri2mesh.imaging.itk import matrix_from_itk, quiet
from mri2mesh.imaging.volumes.headers.header import NOT_FINITE, TRUNCATED, FileHeader
from mri2mesh.imaging.volumes.headers.metaimage import read_metaimage_header
from mri2mesh.imaging.volumes.headers.nifti import read_nifti_header
from mri2mesh.imaging.volumes.headers.nrrd import read_nrrd_header

NOT_AN_IMAGE = "the file is not an image volume this program reads (NIfTI, NRRD, MHA/MHD, DICOM)"

FORMATS: dict[str, tuple[Callable[[Path], FileHeader], str]] = {
    ".nii": (read_nifti_header, "NiftiImageIO"),
    ".nii.gz": (read_nifti_header, "NiftiImageIO"),
    ".nrrd": (read_nrrd_header, "NrrdImageIO"),
    ".nhdr": (read_nrrd_header, "NrrdImageIO"),
    ".mha": (read_metaimage_header, "MetaImageIO"),
    ".mhd": (read_metaimage_header, "MetaImageIO"),
}
"""Ending of the name to the raw header's reader and the ITK class that reads the voxels."""


def read_volume(path: str | Path, series: int | None = None) -> Volume:
    """A volume from NIfTI, NRRD, MHA/MHD, a folder of DICOM files, or one file of a DICOM series.

    series: which of several DICOM series in a folder, from 1 in the order of the message that lists them.
    The array is float32, or integer where the file holds integers. ``metadata`` has ``modality`` (DICOM) and
    ``orientation`` = "unknown" where the file does not say how it lies in the patient.
    Raises InputError for a missing file, what is not an image, is truncated or damaged, in colour, 2D or 4D,
    has too few slices, a spacing that is zero, negative or contradictory, missing or uneven slices, values
    that are not finite, or only one value. No message names the file or the patient.
    """
    path = Path(path)
    try:
        volume = _read(path, series)
    except OSError as error:
        raise InputError(
            "the image cannot be read: check that the path and its permissions are right"
        ) from error
    _check_values(volume)
    return volume


def _read(path: Path, series: int | None) -> Volume:
    if not path.exists():
        raise InputError("no such file or folder: check the path of the image")
    if path.is_dir():
        return read_dicom(path, series)
    with path.open("rb") as stream:
        beginning = stream.read(132)
    if not beginning:
        raise InputError("the image file is empty: copy or export it again")
    if beginning[128:] == b"DICM":
        return read_dicom(path, series)
    for ending, (read_header, reader_name) in FORMATS.items():
        if path.name.lower().endswith(ending):
            header = read_header(path)
            header.check()
            return _read_with_itk(path, header, reader_name)
    raise InputError(NOT_AN_IMAGE)


def _read_with_itk(path: Path, header: FileHeader, reader_name: str) -> Volume:
    try:
        with quiet():
            image = sitk.ReadImage(str(path), imageIO=reader_name)
    except RuntimeError as error:
        if "rthonormal" in str(error):
            raise InputError("the image axes are not perpendicular: resample it to a regular grid") from error
        raise InputError(TRUNCATED) from error
    while image.GetDimension() > 3:  # trailing axes of length 1: the header was checked
        image = image[(slice(None),) * (image.GetDimension() - 1) + (0,)]
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(NOT_AN_IMAGE)
    metadata = {} if header.oriented else {"orientation": "unknown"}
    try:
        return Volume(_number_type(sitk.GetArrayFromImage(image)), matrix_from_itk(image), None, metadata)
    except ValueError as error:
        raise InputError(
            "the image's axes or spacing cannot be used: correct the file or export it again"
        ) from error


def _number_type(array: NDArray) -> NDArray:
    """Integers as they are; other numbers as float32. Raises InputError for complex numbers."""
    if np.issubdtype(array.dtype, np.integer):
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError("the image has complex values: give the magnitude image")
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)


def _check_values(volume: Volume) -> None:
    """Raises InputError for too few slices, values that are not finite, or a single value everywhere."""
    fewest = min(volume.array.shape)
    if fewest < MIN_SLICES:
        raise InputError(f"too few slices: {fewest}, at least {MIN_SLICES} are needed")
    if not np.issubdtype(volume.array.dtype, np.integer):
        bad = volume.array.size - int(np.isfinite(volume.array).sum())
        if bad:
            raise InputError(NOT_FINITE.format(bad))
    if volume.array.min() == volume.array.max():
        raise InputError("every voxel of the image has the same value: there is nothing to see in it")
