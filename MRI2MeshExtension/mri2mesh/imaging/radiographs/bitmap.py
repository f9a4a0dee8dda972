"""Windows bitmaps without compression, as programs of Windows save a radiograph (BITMAPINFOHEADER and later).

ITK's reader is not used: it ends the process for a file that is cut, or that names a colour its palette does not have.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError

DAMAGED = "the picture is truncated or damaged: copy or export it again"
LEAST_HEADER_BYTES = 40
UNCOMPRESSED = (0, 3)
"""BI_RGB, and BI_BITFIELDS, which says of 32-bit pixels in which order their bytes are."""
USUAL_MASKS = (0x00FF0000, 0x0000FF00, 0x000000FF)
"""Red, green, blue as BI_RGB has them."""


def read_bitmap(path: Path, largest_pixels: int) -> NDArray[np.uint8]:
    """[rows, columns, 1 or 3] grey or red, green, blue. Raises InputError: damaged, compressed, too large."""
    data = path.read_bytes()
    if len(data) < 14 + LEAST_HEADER_BYTES:
        raise InputError(DAMAGED)
    (first,) = struct.unpack_from("<I", data, 10)
    header_bytes, columns, height, _, bits, compression = struct.unpack_from("<IiiHHI", data, 14)
    (colours,) = struct.unpack_from("<I", data, 46)
    rows = abs(height)
    if header_bytes < LEAST_HEADER_BYTES or columns < 1 or rows < 1 or bits not in (1, 4, 8, 24, 32):
        raise InputError(DAMAGED)
    if rows * columns > largest_pixels:
        raise InputError(
            f"the picture claims to have {columns} x {rows} pixels, more than any radiograph: make it smaller"
        )
    masks = struct.unpack_from("<3I", data, 54) if compression == 3 and len(data) >= 66 else USUAL_MASKS
    if compression not in UNCOMPRESSED or masks != USUAL_MASKS:
        raise InputError("the picture is a compressed bitmap: save it as PNG")
    stride = (columns * bits + 31) // 32 * 4
    if len(data) < first + stride * rows:
        raise InputError(DAMAGED)
    lines = np.frombuffer(data, np.uint8, stride * rows, first).reshape(rows, stride)
    if height > 0:  # the lowest line comes first
        lines = lines[::-1]
    if bits >= 24:
        return lines[:, : columns * bits // 8].reshape(rows, columns, bits // 8)[..., 2::-1]
    indices = np.unpackbits(lines, axis=1).reshape(rows, -1, bits)
    indices = np.packbits(indices, axis=2)[..., 0] >> (8 - bits)
    begin = 14 + header_bytes
    number = colours or 1 << bits
    palette = np.frombuffer(data[begin : begin + 4 * min(number, 256)], np.uint8)
    palette = palette[: len(palette) // 4 * 4].reshape(-1, 4)[:, 2::-1]
    indices = indices[:, :columns]
    if indices.max() >= len(palette):
        raise InputError(DAMAGED)
    return palette[indices]
