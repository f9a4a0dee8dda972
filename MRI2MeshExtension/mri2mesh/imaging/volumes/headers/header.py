"""What an image file says of itself, before any library has put it right.

ITK replaces a zero or negative spacing by something usable and fills a short file with zeros. A surface made
from such an image would have a wrong size without anybody knowing, so the raw header is checked first.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import BinaryIO, Protocol

from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.headers.rewritten import Rewritten
from mri2mesh.imaging.volumes.limits import check_size

TRUNCATED = "the image file is truncated or damaged: copy or export it again"

NOT_ORIENTED = (
    "the file does not record how the image lies in the patient: left and right, front and back may be exchanged in "
    "the result; compare it with the image, or export the image again with its orientation"
)
NOT_FINITE = "the image has {} values that are not numbers (NaN or infinite): correct it first"

DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
"""What decompressing a damaged file raises."""
MOST_COMPONENTS = 1 << 16
"""Numbers per voxel, beyond any diffusion series."""
LONGEST_LIST = 1 << 20
"""Bytes of a header that names one file per slice."""
MILLIMETRES = {
    "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0, "": 1.0, "?": 1.0,
    "cm": 10.0, "centimeter": 10.0, "centimetre": 10.0, "m": 1000.0, "meter": 1000.0, "metre": 1000.0,
    "um": 1e-3, "µm": 1e-3, "\u03bcm": 1e-3, "micron": 1e-3, "microns": 1e-3, "micrometer": 1e-3,
    "micrometre": 1e-3, "nm": 1e-6, "nanometer": 1e-6, "in": 25.4, "inch": 25.4,
}  # fmt: skip
"""Unit of length to millimetres, as headers write it."""


@dataclass(frozen=True)
class FileHeader:
    """sizes: of the axes, time last. spacings_mm: of the first three axes.

    components: numbers per voxel. expected_bytes: of all voxels, None where it cannot be known.
    available_bytes: of voxel data in the file (or files), decompressed; None where it cannot be known.
    oriented: False when the file does not say how its axes lie in the patient.
    not_finite: voxels that are NaN or infinite in the file, where ITK would hide them.
    modality: DICOM's abbreviation, where the file records it; "" elsewhere.
    to_millimetres: by what ITK's geometry is multiplied, where ITK overlooks the unit.
    warnings: sentences for the user on what the file leaves open.
    rewritten: the file as ITK is given it; None where one file per slice is read in its place.
    end: bytes up to the last voxel, decompressed, where this is known.
    """

    sizes: Sequence[int]
    spacings_mm: Sequence[float]
    components: int = 1
    expected_bytes: int | None = None
    available_bytes: int | None = None
    oriented: bool = True
    not_finite: int = 0
    modality: str = ""
    to_millimetres: float = 1.0
    warnings: tuple[str, ...] = ()
    rewritten: Rewritten | None = None
    end: int | None = None

    def check(self) -> None:
        """Raises InputError unless this is one complete 3D image of single numbers with usable spacing."""
        if any(size < 1 for size in self.sizes) or not 1 <= self.components <= MOST_COMPONENTS:
            raise InputError(TRUNCATED)
        if self.components != 1:
            raise InputError(
                f"the image has {self.components} values per voxel (colour or vectors): "
                "give a grey-scale volume"
            )
        volumes = math.prod(self.sizes[3:])
        if volumes > 1:
            raise InputError(f"the image is 4D ({volumes} volumes in one file): save one as a 3D volume")
        if len(self.sizes) < 3 or min(self.sizes[:3]) == 1:
            raise InputError("the image is 2D (a single slice): give a volume of several slices")
        for spacing in self.spacings_mm:
            if not (math.isfinite(spacing) and spacing > 0):
                raise InputError(
                    f"the voxel spacing in the file is {spacing:g} mm, it must be positive: "
                    "correct the file or export it again"
                )
        check_size(self.sizes[:3], self.spacings_mm)
        if self.expected_bytes is not None and self.available_bytes is not None:
            share = self.available_bytes / self.expected_bytes
            if share < 1:
                raise InputError(
                    f"the image file is truncated ({100 * share:.1f}% of the image is there): "
                    "copy or export it again"
                )
        if self.not_finite:
            raise InputError(NOT_FINITE.format(self.not_finite))


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def decompressed_bytes(stream: BinaryIO, kind: str, enough: int) -> int:
    """How many bytes the rest of a stream holds when decompressed (``kind``: "gzip", "zlib", "bzip2" or "xz").

    Checksums are verified on the way. A stream that breaks off gives what was there. Counting stops once past
    ``enough``. Raises InputError for damaged data.
    """

    def start() -> _Decompressor:
        if kind in ("bzip2", "xz"):
            return bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor()
        return zlib.decompressobj(31 if kind == "gzip" else 15)

    decompressor, total = start(), 0
    try:
        while total <= enough and (block := stream.read(1 << 20)):
            total += len(decompressor.decompress(block))
            while decompressor.eof and kind == "gzip" and decompressor.unused_data[:2] == b"\x1f\x8b":
                rest = decompressor.unused_data
                decompressor = start()
                total += len(decompressor.decompress(rest))
            if decompressor.eof:
                break
    except DAMAGED as error:
        raise InputError(TRUNCATED) from error
    # Without its end mark the stream was cut, if only by its last bytes.
    return total if decompressor.eof or total > enough else min(total, enough - 1)


def available_bytes(path: Path, offset: int, compression: str | None, expected: int) -> int:
    """Bytes of voxel data after ``offset`` of a file. Raises InputError when missing or damaged."""
    try:
        if compression is None:
            return max(0, path.stat().st_size - offset)
        with path.open("rb") as stream:
            stream.seek(offset)
            return decompressed_bytes(stream, compression, expected)
    except FileNotFoundError as error:
        raise InputError("the header names a data file that is not beside it: copy both files") from error
    except OSError as error:
        raise InputError("the image data cannot be read: check permissions") from error


def data_file(header: Path, name: str) -> Path:
    """The file of the voxels that a detached header names.

    Raises InputError for one that does not lie beside the header or in a folder below: a file that somebody sent must
    not be able to show another file of this computer.
    """
    windows = PureWindowsPath(name)
    parts = name.replace("\\", "/").split("/")
    if "\0" in name or os.path.isabs(name) or windows.drive or windows.root or ".." in parts:
        raise InputError(
            "the header names a data file outside its own folder: put both files into one folder"
        )
    return header.parent / name


def check_listed(header: Path, offset: int) -> None:
    """`data_file` for every name of a list that follows the header's last field."""
    with header.open("rb") as stream:
        stream.seek(offset)
        for line in stream.read(LONGEST_LIST).decode("latin-1").splitlines():
            if line.strip():
                data_file(header, line.strip())


def length_unit(names: Sequence[str]) -> tuple[float, tuple[str, ...]]:
    """Millimetres per unit of a header's axes in space, and a warning where the unit is not known."""
    # Headers are read as Latin-1, in which no byte is damaged; the letter µ is written as UTF-8 too.
    factors = {MILLIMETRES.get(name.strip().lower().replace("Â", "").replace("â", "")) for name in names}
    if len(factors) > 1:
        raise InputError(
            "the axes of the image have different units of length: export it again in millimetres"
        )
    factor = factors.pop() if factors else 1.0
    if factor is None:
        return 1.0, ("the unit of length in the file is not known to this program: taken as millimetres",)
    return factor, ()
