"""Raw header of NIfTI-1 single files (https://nifti.nimh.nih.gov/nifti-1), and values ITK would change."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.headers.header import TRUNCATED, FileHeader, available_bytes

HEADER_BYTES, NIFTI2_HEADER_BYTES = 348, 540
COMPONENTS = {128: 3, 2304: 4, 32: 2, 1792: 2, 2048: 2}
"""NIfTI datatype codes with several numbers per voxel: RGB, RGBA, complex."""
BYTES = {2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8, 2304: 4}
FLOATS = {16: "f4", 64: "f8"}
SPACING_DISAGREEMENT = 0.02
"""Relative difference allowed between pixdim and the sform's columns."""


def read_nifti_header(path: Path) -> FileHeader:
    """Header of a .nii or .nii.gz file. Raises InputError when it is not one, or contradicts itself."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            header = gzip.GzipFile(fileobj=stream).read(HEADER_BYTES) if packed else stream.read(HEADER_BYTES)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(TRUNCATED) from error
    order = _byte_order(header)

    def field(format_: str, offset: int) -> tuple[float, ...]:
        return struct.unpack_from(order + format_, header, offset)

    dimensions, *sizes = (int(value) for value in field("8h", 40))
    if not 1 <= dimensions <= 7:
        raise InputError(TRUNCATED)
    sizes = sizes[:dimensions]
    spacings = list(field("3f", 80))
    qform_code, sform_code = field("2h", 252)
    if sform_code > 0:
        spacings = _agreed(spacings, field("12f", 280))
    datatype, offset = int(field("h", 70)[0]), max(0, int(field("f", 108)[0]))
    expected = BYTES.get(datatype, 0) * max(0, math.prod(sizes)) or None
    available = None
    if expected and packed:
        available = available_bytes(path, 0, "gzip", offset + expected) - offset
    elif expected:
        available = available_bytes(path, offset, None, expected)
    not_finite = 0
    if expected and available is not None and available >= expected and datatype in FLOATS:
        not_finite = _not_finite(path, packed, offset, expected, order + FLOATS[datatype])
    return FileHeader(
        sizes[:4],
        spacings,
        COMPONENTS.get(datatype, 1) * math.prod(sizes[4:]),  # the fifth axis is that of a vector
        expected,
        available,
        oriented=qform_code > 0 or sform_code > 0,
        not_finite=not_finite,
    )


def _byte_order(header: bytes) -> str:
    """ "<" or ">". Raises InputError for what is not NIfTI-1, or keeps its voxels elsewhere."""
    if len(header) < HEADER_BYTES:
        raise InputError(TRUNCATED)
    for order in "<>":
        size = struct.unpack_from(order + "i", header)[0]
        if size == HEADER_BYTES and header[344:347] == b"n+1":
            return order
        if size == HEADER_BYTES:
            raise InputError("header and voxels are in two files (Analyze, NIfTI pair): save as .nii.gz")
        if size == NIFTI2_HEADER_BYTES:
            raise InputError("NIfTI-2 is not read: save the image as NIfTI-1 (.nii.gz) or NRRD")
    raise InputError("the file is not a NIfTI image")


def _agreed(spacings: list[float], sform: tuple[float, ...]) -> list[float]:
    """The spacings by pixdim, once the sform agrees with them; otherwise no size could be trusted."""
    for axis, spacing in enumerate(spacings):
        column = math.sqrt(sum(sform[4 * row + axis] ** 2 for row in range(3)))
        if not (math.isfinite(column) and column > 0):
            return [column]
        if spacing > 0 and abs(column - spacing) > SPACING_DISAGREEMENT * spacing:
            raise InputError(
                f"the file gives two voxel spacings, {spacing:g} and {column:g} mm (pixdim and sform): "
                "correct the file or export it again"
            )
    return spacings


def _not_finite(path: Path, packed: bool, offset: int, length: int, number_type: str) -> int:
    """How many voxels are NaN or infinite: ITK's NIfTI library turns them into zeros without a word."""
    count = 0
    with path.open("rb") as raw:
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        stream.seek(offset)
        while length > 0 and (block := stream.read(min(length, 1 << 22))):
            length -= len(block)
            values = np.frombuffer(block, number_type)
            count += values.size - int(np.isfinite(values).sum())
    return count
