"""What a picture says of how it is to be shown and ITK overlooks: which way up, and whether zero is white.

TIFF 6.0: PhotometricInterpretation (262), Orientation (274). JPEG and PNG carry the same tags in Exif (CIPA DC-008).
"""

from __future__ import annotations

import struct
from pathlib import Path

from mri2mesh.imaging.files import Content

PHOTOMETRIC, ORIENTATION = 262, 274
LARGEST_BYTES = 1 << 26
MOST_TAGS = 4096


def shown_tags(path: Path, content: Content) -> dict[int, int]:
    """Those of the two tags that a picture has; nothing where it has none, or they are damaged. Raises OSError."""
    if content not in ("tiff", "jpeg", "png"):
        return {}
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_BYTES)
        if content == "tiff":
            return _tags(data)
        return _tags(_exif_of_jpeg(data) if content == "jpeg" else _exif_of_png(data))
    except (struct.error, IndexError, OverflowError):
        return {}


def _tags(data: bytes) -> dict[int, int]:
    """Of the first directory of a TIFF, classic or BigTIFF."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return {}
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    (begin,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (number,) = struct.unpack_from(order + ("Q" if big else "H"), data, begin)
    begin, step, value_at = begin + (8 if big else 2), 20 if big else 12, 12 if big else 8
    found = {}
    for n in range(min(number, MOST_TAGS)):
        tag, kind = struct.unpack_from(order + "HH", data, begin + step * n)
        if tag in (PHOTOMETRIC, ORIENTATION) and kind == 3:
            (found[tag],) = struct.unpack_from(order + "H", data, begin + step * n + value_at)
    return found


def _exif_of_jpeg(data: bytes) -> bytes:
    at = 2
    while data[at] == 0xFF and 0xC0 <= data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return data[at + 10 : at + 2 + length]
        at += 2 + max(length, 2)
    return b""


def _exif_of_png(data: bytes) -> bytes:
    at = 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf":
            return data[at + 8 : at + 8 + length]
        at += 12 + length
    return b""
