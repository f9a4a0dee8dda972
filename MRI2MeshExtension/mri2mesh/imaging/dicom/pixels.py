"""Decoded DICOM pixels, by pydicom 3 and by pydicom 2, which Slicer 5.10 brings and which other extensions rely on."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from mri2mesh.errors import InputError
from mri2mesh.imaging.itk import quiet
from mri2mesh.imaging.volumes.headers.header import TRUNCATED

_PER_FRAME = int(pydicom.__version__.split(".")[0]) >= 3
"""Whether one frame can be decoded by itself; pydicom 2 decodes all, and is trusted with uncompressed ones alone."""

if not _PER_FRAME:
    from pydicom.pixel_data_handlers.util import apply_modality_lut
else:
    from pydicom.pixels import apply_modality_lut  # type: ignore[no-redef]

__all__ = [
    "apply_modality_lut",
    "can_decode",
    "check_complete",
    "decode",
    "frames_by_gdcm",
    "open_dicom",
    "stored_bits",
]

PIXEL_DATA = (0x7FE00010, 0x7FE00008, 0x7FE00009)
"""Pixel Data, Float Pixel Data and Double Float Pixel Data."""
DEFLATED = ("1.2.840.10008.1.2.1.99",)
PIXEL_MODULE = (
    "Rows", "Columns", "SamplesPerPixel", "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
)  # fmt: skip


def open_dicom(path: Path, **options: Any) -> FileDataset:
    """A DICOM file by pydicom, with or without preamble and file header, its transfer syntax known.

    Raises what pydicom raises for damaged data.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True, **options)
    if getattr(dataset, "file_meta", None) is None:
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = _encoding(dataset)
        dataset.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        )
    return dataset


def _encoding(dataset: Dataset) -> tuple[bool, bool]:
    """Implicit VR, little endian: as the data set was found to be written."""
    if hasattr(dataset, "original_encoding"):
        implicit, little = dataset.original_encoding
        return bool(implicit), little is None or bool(little)
    return bool(dataset.is_implicit_VR), bool(dataset.is_little_endian)


def can_decode(dataset: Dataset) -> bool:
    """Whether `decode` understands how the pixels of a file are stored."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or syntax in DEFLATED:
        return True
    if not _PER_FRAME:
        return False
    from pydicom.pixels import get_decoder

    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False


def decode(path: Path, frame: int) -> NDArray:
    """[rows, columns] of one frame (from 0) as stored. Raises what pydicom raises for damaged data."""
    dataset = open_dicom(path)
    if _PER_FRAME:
        from pydicom.pixels import pixel_array

        return np.asarray(pixel_array(dataset, index=frame, raw=True))
    return dataset.pixel_array.reshape(-1, int(dataset.Rows), int(dataset.Columns))[frame]


def decode_all(dataset: FileDataset) -> NDArray:
    """[frames, rows, columns] as stored. Raises what pydicom raises for damaged data."""
    if _PER_FRAME:
        from pydicom.pixels import pixel_array

        array = np.asarray(pixel_array(dataset, raw=True))
    else:
        array = dataset.pixel_array
    return array.reshape(-1, int(dataset.Rows), int(dataset.Columns))


def frames_by_gdcm(dataset: FileDataset) -> NDArray:
    """[frames, rows, columns] as stored, through GDCM, which knows every common compression.

    GDCM is given the pixels alone: of a whole file it would apply one rescale slope to all frames, turn MONOCHROME1
    over, and fail for some paths. Raises RuntimeError for damaged data, or a compression that GDCM does not know.
    """
    bare = Dataset()
    for keyword in PIXEL_MODULE:
        if keyword in dataset:
            setattr(bare, keyword, dataset[keyword].value)
    bare.PhotometricInterpretation = "MONOCHROME2"
    bare.SOPClassUID, bare.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    bare["PixelData"] = dataset["PixelData"]
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    bare.file_meta.MediaStorageSOPClassUID = bare.SOPClassUID
    bare.file_meta.MediaStorageSOPInstanceUID = bare.SOPInstanceUID
    with tempfile.TemporaryDirectory(prefix="mri2mesh-") as folder:
        plain = f"{folder}/image.dcm"
        if _PER_FRAME:
            bare.save_as(plain, enforce_file_format=True)
        else:
            bare.is_little_endian, bare.is_implicit_VR = True, False
            bare.save_as(plain, write_like_original=False)
        with quiet():
            image = sitk.ReadImage(plain, imageIO="GDCMImageIO")
    array = sitk.GetArrayFromImage(image)
    return array.reshape(-1, int(dataset.Rows), int(dataset.Columns))


def stored_bits(values: NDArray, dataset: Dataset) -> NDArray:
    """The same values without what old files keep in the bits that are allocated and not stored, as overlays."""
    if not np.issubdtype(values.dtype, np.integer):
        return values
    allocated, stored = 8 * values.dtype.itemsize, int(dataset.BitsStored)
    lowest = int(dataset.get("HighBit", stored - 1)) + 1 - stored
    if not 0 < stored < allocated or not 0 <= lowest <= allocated - stored:
        return values
    if int(dataset.get("PixelRepresentation") or 0):
        signed = values.astype(f"i{values.dtype.itemsize}", copy=False)
        return (signed << (allocated - stored - lowest)) >> (allocated - stored)
    return (values >> lowest) & np.array((1 << stored) - 1, dtype=values.dtype)


def stored_range(dataset: Dataset) -> tuple[int, int]:
    """The least and greatest value that the stored bits can hold."""
    bits = int(dataset.BitsStored)
    if int(dataset.get("PixelRepresentation") or 0):
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1


def check_complete(path: Path) -> FileDataset:
    """The file, read as far as its pixels. Raises InputError when the pixel data ends before its declared length."""
    try:
        dataset = open_dicom(path, defer_size=1024)
        # As it stands in the file, not read: `values` has it so in pydicom 2 and 3.
        element: Any = next((one for one in dataset.values() if one.tag in PIXEL_DATA), None)
        frames = int(dataset.get("NumberOfFrames") or 1)
        bits = int(dataset.get("BitsAllocated") or 0) * int(dataset.Rows) * int(dataset.Columns)
        deflated = dataset.file_meta.TransferSyntaxUID in DEFLATED
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise InputError(TRUNCATED) from error
    if element is None:
        raise InputError(TRUNCATED)
    length, start = getattr(element, "length", 0), getattr(element, "value_tell", 0)
    if length == 0xFFFFFFFF:  # compressed: reading to its end mark has already succeeded
        return dataset
    if length < bits * frames // 8 or (not deflated and path.stat().st_size < start + length):
        raise InputError(TRUNCATED)
    return dataset
