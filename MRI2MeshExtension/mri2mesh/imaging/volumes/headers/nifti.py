"""Raw header of NIfTI-1 single files (https://nifti.nimh.nih.gov/nifti-1), and values ITK would change."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.imaging.files import Container, open_plain
from mri2mesh.imaging.volumes.headers.header import DAMAGED, TRUNCATED, FileHeader, available_bytes
from mri2mesh.imaging.volumes.headers.nifti_matrices import agreed_spacings, compare_matrices
from mri2mesh.imaging.volumes.limits import check_numbers

HEADER_BYTES, NIFTI2_HEADER_BYTES = 348, 540
COMPONENTS = {128: 3, 2304: 4, 32: 2, 1792: 2, 2048: 2}
"""NIfTI datatype codes with several numbers per voxel: RGB, RGBA, complex."""
BYTES = {2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8, 2304: 4}
FLOATS = {16: "f4", 64: "f8"}
UNITS_MM = {1: 1000.0, 2: 1.0, 3: 1e-3}
"""Lowest three bits of xyzt_units (metres, millimetres, micrometres) to millimetres; ITK converts them itself."""


def read_nifti_header(path: Path, container: Container | None = None) -> FileHeader:
    """Header of a NIfTI file, compressed as a whole or not.

    Raises InputError when it is not one, or contradicts itself.
    """
    try:
        with open_plain(path, container) as stream:
            header = stream.read(HEADER_BYTES)
    except DAMAGED as error:
        raise InputError(TRUNCATED) from error
    order = _byte_order(header)

    def field(format_: str, offset: int) -> tuple[float, ...]:
        return struct.unpack_from(order + format_, header, offset)

    dimensions, *sizes = (int(value) for value in field("8h", 40))
    if not 1 <= dimensions <= 7:
        raise InputError(TRUNCATED)
    sizes = sizes[:dimensions]
    qfac, *spacings = field("4f", 76)
    qform_code, sform_code = field("2h", 252)
    warnings: tuple[str, ...] = ()
    if sform_code > 0:
        spacings = agreed_spacings(spacings, field("12f", 280))
        if qform_code > 0 and all(math.isfinite(spacing) and spacing > 0 for spacing in spacings):
            warnings = compare_matrices(sizes, spacings, qfac, field("6f", 256), field("12f", 280))
    unit = UNITS_MM.get(header[123] & 7, 1.0)
    if qform_code > 0:
        b, c, d, *origin = field("6f", 256)
        check_numbers((b, c, d, qfac), [unit * value for value in origin])
    if sform_code > 0:
        rows = np.reshape(field("12f", 280), (3, 4)) * unit
        check_numbers(rows[:, :3].ravel().tolist(), rows[:, 3].tolist())
    first = field("f", 108)[0]
    if not math.isfinite(first):
        raise InputError(TRUNCATED)
    datatype, offset = int(field("h", 70)[0]), max(0, int(first))
    expected = BYTES.get(datatype, 0) * max(0, math.prod(sizes)) or None
    available = None
    if expected and container:
        available = available_bytes(path, 0, container, offset + expected) - offset
    elif expected:
        available = available_bytes(path, offset, None, expected)
    not_finite = 0
    if expected and available is not None and available >= expected and datatype in FLOATS:
        not_finite = _not_finite(path, container, offset, expected, order + FLOATS[datatype])
    return FileHeader(
        sizes[:4],
        [unit * spacing for spacing in spacings],
        COMPONENTS.get(datatype, 1) * math.prod(sizes[4:]),  # the fifth axis is that of a vector
        expected,
        available,
        oriented=qform_code > 0 or sform_code > 0,
        not_finite=not_finite,
        warnings=warnings,
        end=None if expected is None else offset + expected,
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


def _not_finite(path: Path, container: Container | None, offset: int, length: int, number_type: str) -> int:
    """How many voxels are NaN or infinite: ITK's NIfTI library turns them into zeros without a word."""
    count = 0
    with open_plain(path, container) as stream:
        stream.seek(offset)
        while length > 0 and (block := stream.read(min(length, 1 << 22))):
            length -= len(block)
            values = np.frombuffer(block, number_type)
            count += values.size - int(np.isfinite(values).sum())
    return count
