"""What an image file says of itself, before any library has put it right.

ITK replaces a zero or negative spacing by something usable and fills a short file with zeros. A surface made
from such an image would have a wrong size without anybody knowing, so the raw header is checked first.
"""

from __future__ import annotations

import bz2
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from mri2mesh.errors import InputError

TRUNCATED = "the image file is truncated or damaged: copy or export it again"

NOT_FINITE = "the image has {} values that are not numbers (NaN or infinite): correct it first"


@dataclass(frozen=True)
class FileHeader:
    """sizes: of the axes, time last. spacings_mm: as written, of the first three axes.

    components: numbers per voxel. expected_bytes: of all voxels, None where it cannot be known.
    available_bytes: of voxel data in the file (or files), decompressed; None where it cannot be known.
    oriented: False when the file does not say how its axes lie in the patient.
    not_finite: voxels that are NaN or infinite in the file, where ITK would hide them.
    """

    sizes: Sequence[int]
    spacings_mm: Sequence[float]
    components: int = 1
    expected_bytes: int | None = None
    available_bytes: int | None = None
    oriented: bool = True
    not_finite: int = 0

    def check(self) -> None:
        """Raises InputError unless this is one complete 3D image of single numbers with usable spacing."""
        if any(size < 1 for size in self.sizes):
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
    """How many bytes the rest of a stream holds when decompressed (``kind``: "gzip", "zlib" or "bzip2").

    Checksums are verified on the way. A stream that breaks off gives what was there. Counting stops once past
    ``enough``. Raises InputError for damaged data.
    """

    def start() -> _Decompressor:
        return bz2.BZ2Decompressor() if kind == "bzip2" else zlib.decompressobj(31 if kind == "gzip" else 15)

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
    except (OSError, zlib.error, EOFError) as error:
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
