"""Raw header of MetaImage files, attached (.mha) and detached (.mhd) (https://itk.org/Wiki/MetaIO/Documentation)."""

from __future__ import annotations

import math
from pathlib import Path

from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.headers.header import TRUNCATED, FileHeader, available_bytes

BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_FLOAT": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_DOUBLE": 8,
}  # fmt: skip
"""MET_LONG has no fixed size, so such files are left to ITK to judge."""


def read_metaimage_header(path: Path) -> FileHeader:
    """Header of a MetaImage. Raises InputError when it cannot be understood or records no spacing."""
    fields, offset = _fields(path)
    try:
        sizes = [int(size) for size in fields["DimSize"].split()]
        spacing_text = fields.get("ElementSpacing", fields.get("ElementSize"))
        if spacing_text is None:
            raise InputError("the file records no voxel spacing: export it again with spacing")
        spacings = [float(value) for value in spacing_text.split()]
        if not len(sizes) == len(spacings) == int(fields["NDims"]):
            raise InputError(TRUNCATED)
        channels = int(fields.get("ElementNumberOfChannels", "1"))
        data = fields["ElementDataFile"]
    except (KeyError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(TRUNCATED) from error
    expected = (
        BYTES.get(fields.get("ElementType", "").upper(), 0) * channels * max(0, math.prod(sizes)) or None
    )
    available = None
    if expected and _true(fields, "BinaryData", "True") and not data.startswith("LIST") and "%" not in data:
        if data.upper() != "LOCAL":
            path, offset = path.parent / data, max(0, int(fields.get("HeaderSize", "0")))
        compression = "zlib" if _true(fields, "CompressedData", "False") else None
        available = available_bytes(path, offset, compression, expected)
    oriented = any(name in fields for name in ("TransformMatrix", "Orientation", "Rotation"))
    return FileHeader(sizes, spacings[:3], channels, expected, available, oriented)


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields in the order of the file up to ElementDataFile, and where the header ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline(100_000):
            name, separator, value = line.decode("latin-1").partition("=")
            if not separator:
                break
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                break
        return fields, stream.tell()


def _true(fields: dict[str, str], name: str, default: str) -> bool:
    return fields.get(name, default).lower() in ("true", "1")
