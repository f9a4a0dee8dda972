"""One volume from a file or folder, or one clear line on why not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.dicom.volume import MIN_SLICES, read_dicom
from mri2mesh.imaging.files import (
    BEGINNING_BYTES,
    PICTURES,
    Container,
    beginning_of,
    container_of,
    content_of,
    open_plain,
    refuse_unknown,
    require_file,
    under_a_plain_name,
)
from mri2mesh.imaging.itk import matrix_from_itk, quiet
from mri2mesh.imaging.volumes.headers.header import DAMAGED, NOT_FINITE, NOT_ORIENTED, TRUNCATED, FileHeader
from mri2mesh.imaging.volumes.headers.metaimage import read_metaimage_header
from mri2mesh.imaging.volumes.headers.nifti import read_nifti_header
from mri2mesh.imaging.volumes.headers.nrrd import read_nrrd_header
from mri2mesh.imaging.volumes.limits import check_place, check_size

NOT_AN_IMAGE = "the file is not an image volume this program reads (NIfTI, NRRD, MHA/MHD, DICOM)"
ONE_VALUE = "every voxel of the image has the same value: there is nothing to see in it"
NOT_UTF8 = "the path of the image has characters that are not UTF-8: rename the file or its folder"


def read_volume(path: str | Path, series: int | None = None) -> Volume:
    """A volume from NIfTI, NRRD, MHA/MHD, a folder of DICOM files, or one file of a DICOM series or CD directory.

    What a file is, is seen from its bytes; its name and its neighbours play no part.
    series: which of several DICOM series in a folder, from 1 in the order of the message that lists them.
    The array is float32, or integer where the file holds integers. ``metadata`` has ``modality`` where the file records
    it and ``orientation`` = "unknown" where the file does not say how it lies in the patient; ``warnings`` say what the
    file leaves open.
    Raises InputError for a missing file, what is not an image, is truncated or damaged, in colour, 2D or 4D,
    has too few slices, a size, spacing or place that no patient has, contradictory spacings or matrices, missing or
    uneven slices, values that are not finite, or only one value. No message names the file or the patient.
    """
    path = Path(path)
    try:
        volume = _read(path, series)
    except OSError as error:
        raise InputError(
            "the image cannot be read: check that the path and its permissions are right"
        ) from error
    check_size(volume.array.shape[::-1], volume.spacing.tolist())
    check_place(volume.ijk_to_ras)
    _check_values(volume)
    return volume


def _read(path: Path, series: int | None) -> Volume:
    require_file(path, "no such file or folder: check the path of the image")
    if path.is_dir():
        return read_dicom(path, series)
    beginning = beginning_of(path)
    if not beginning:
        raise InputError("the image file is empty: copy or export it again")
    container = container_of(beginning)
    if container:
        try:
            with open_plain(path, container) as stream:
                beginning = stream.read(BEGINNING_BYTES)
        except DAMAGED as error:
            raise InputError(TRUNCATED) from error
    content = content_of(beginning)
    if content == "nifti":
        return _read_nifti(path, container)
    if content == "unknown":
        raise refuse_unknown(beginning, NOT_AN_IMAGE)
    if container:
        raise InputError(f"the file is compressed with {container}: decompress it first")
    if content == "dicom":
        return read_dicom(path, series)
    if content in PICTURES:
        raise InputError("the file is a picture, not an image volume: give NIfTI, NRRD, MHA/MHD or DICOM")
    read_header, reader = {
        "nrrd": (read_nrrd_header, "NrrdImageIO"),
        "metaimage": (read_metaimage_header, "MetaImageIO"),
    }[content]
    header = read_header(path)
    header.check()
    if header.rewritten is not None:
        with header.rewritten.file() as plain:
            return _read_with_itk(plain, header, reader)
    try:
        path.absolute().as_posix().encode()
    except UnicodeEncodeError as error:
        raise InputError(NOT_UTF8) from error
    return _read_with_itk(str(path), header, reader)


def _read_nifti(path: Path, container: Container | None) -> Volume:
    header = read_nifti_header(path, container)
    header.check()
    with _decompressed(path, container, header.end) as plain, under_a_plain_name(plain, ".nii") as named:
        return _read_with_itk(named, header, "NiftiImageIO")


@contextmanager
def _decompressed(path: Path, container: Container | None, end: int | None) -> Iterator[Path]:
    """The same file without its compression, up to the last voxel: only as much as the header needs is unpacked."""
    if container is None:
        yield path
        return
    if end is None:
        raise InputError(NOT_AN_IMAGE)
    with tempfile.TemporaryDirectory(prefix="mri2mesh-") as folder:
        plain = Path(folder) / "plain.nii"
        with open_plain(path, container) as packed, plain.open("wb") as stream:
            while end > 0 and (block := packed.read(min(end, 1 << 20))):
                end -= len(block)
                stream.write(block)
        yield plain


def _read_with_itk(path: str, header: FileHeader, reader_name: str) -> Volume:
    try:
        with quiet():
            image = sitk.ReadImage(path, imageIO=reader_name)
    except RuntimeError as error:
        if "rthonormal" in str(error):
            raise InputError("the image axes are not perpendicular: resample it to a regular grid") from error
        raise InputError(TRUNCATED) from error
    while image.GetDimension() > 3:  # trailing axes of length 1: the header was checked
        image = image[(slice(None),) * (image.GetDimension() - 1) + (0,)]
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(NOT_AN_IMAGE)
    metadata = {} if header.oriented else {"orientation": "unknown"}
    if header.modality:
        metadata["modality"] = header.modality
    warnings = header.warnings if header.oriented else (NOT_ORIENTED, *header.warnings)
    matrix = matrix_from_itk(image)
    matrix[:3] *= header.to_millimetres
    try:
        return Volume(_number_type(sitk.GetArrayFromImage(image)), matrix, None, metadata, warnings)
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
        raise InputError(ONE_VALUE)
