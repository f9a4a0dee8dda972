"""Raw header of MetaImage files, attached (.mha) and detached (.mhd) (https://itk.org/Wiki/MetaIO/Documentation)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.headers.header import (
    TRUNCATED,
    FileHeader,
    available_bytes,
    check_listed,
    data_file,
    length_unit,
)
from mri2mesh.imaging.volumes.headers.rewritten import Rewritten, check_fields, passed_on
from mri2mesh.imaging.volumes.limits import check_numbers

BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_FLOAT": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_DOUBLE": 8,
}  # fmt: skip
"""MET_LONG has no fixed size, so such files are left to ITK to judge."""
DIRECTIONS = ("TransformMatrix", "Orientation", "Rotation")
ORIGINS = ("Offset", "Position", "Origin", "CenterOfRotation")
PASSED_ON = (
    "ObjectType", "NDims", "BinaryData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "CompressedData",
    "CompressedDataSize", *DIRECTIONS, *ORIGINS, "AnatomicalOrientation", "ElementSpacing", "ElementSize", "DimSize",
    "HeaderSize", "ElementNumberOfChannels", "ElementType",
)  # fmt: skip
BYTE_ORDER_MARK = "ï»¿"
"""Of UTF-8, read as Latin-1."""
MODALITY = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_NM": "NM", "MET_MOD_US": "US"}


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
        skipped = max(0, int(fields.get("HeaderSize", "0")))
        factor, warnings = length_unit([fields.get("DistanceUnits", "")])
        directions, origins = (_numbers(fields, names) for names in (DIRECTIONS, ORIGINS))
        check_numbers(directions, [factor * value for value in origins])
        if len(directions) % len(sizes) ** 2 or len(origins) % len(sizes):
            raise InputError(TRUNCATED)
    except (KeyError, ValueError, OverflowError) as error:
        raise error if isinstance(error, InputError) else InputError(TRUNCATED) from error
    listed = data.startswith("LIST") or "%" in data
    detached = data.upper() != "LOCAL"
    data_path = data_file(path, data.split()[0] if listed else data) if detached else path
    if data.startswith("LIST"):
        check_listed(path, offset)
    if listed:
        check_fields(fields, TRUNCATED)
    expected = (
        BYTES.get(fields.get("ElementType", "").upper(), 0) * channels * max(0, math.prod(sizes)) or None
    )
    rewritten = None
    if not listed:
        lines = passed_on(fields, PASSED_ON, " = ", TRUNCATED)
        rewritten = Rewritten(lines, data_path, offset, not detached, "metaimage")
    available = None
    if expected and _true(fields, "BinaryData", "True") and not listed:
        if detached:
            path, offset = data_path, skipped
        compression = "zlib" if _true(fields, "CompressedData", "False") else None
        available = available_bytes(path, offset, compression, expected)
    oriented = any(name in fields for name in ("TransformMatrix", "Orientation", "Rotation"))
    return FileHeader(
        sizes,
        [factor * spacing for spacing in spacings[:3]],
        channels,
        expected,
        available,
        oriented,
        modality=MODALITY.get(fields.get("Modality", "").upper(), ""),
        to_millimetres=factor,
        warnings=warnings,
        rewritten=rewritten,
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields in the order of the file up to ElementDataFile, and where the header ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline(100_000):
            name, separator, value = line.decode("latin-1").partition("=")
            if not separator:
                break
            name = name.removeprefix(BYTE_ORDER_MARK)
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                break
        return fields, stream.tell()


def _numbers(fields: dict[str, str], names: Sequence[str]) -> list[float]:
    return [float(value) for name in names for value in fields.get(name, "").split()]


def _true(fields: dict[str, str], name: str, default: str) -> bool:
    return fields.get(name, default).lower() in ("true", "1")
