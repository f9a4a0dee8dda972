"""Raw header of NRRD files, attached (.nrrd) and detached (.nhdr) (https://teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import math
import re
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
    1: ("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"),
    2: ("short", "short int", "signed short", "signed short int", "int16", "int16_t")
    + ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    4: ("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t", "float"),
    8: (
        "longlong",
        "long long",
        "long long int",
        "signed long long",
        "signed long long int",
        "int64",
        "int64_t",
    )
    + ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t", "double"),
}
TYPE_BYTES = {name: size for size, names in BYTES.items() for name in names}
COMPRESSION = {"raw": None, "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
PASSED_ON = (
    "type", "dimension", "space", "space dimension", "sizes", "spacings", "axis mins", "axismins", "space directions",
    "space origin", "kinds", "endian", "encoding", "line skip", "lineskip", "byte skip", "byteskip",
)  # fmt: skip
MODALITY = "[A-Z]{2,16}"
"""A code string of DICOM: free text, in which a name may stand, is none."""
KEY = "key:"
"""Before the name of a key/value pair, so that none can stand for a field."""
PATIENT_SPACES = {
    name + time
    for name in (
        "right-anterior-superior", "ras", "left-anterior-superior", "las", "left-posterior-superior", "lps",
    )
    for time in ("", "-time", "t")
}  # fmt: skip
"""Values of ``space`` that say where the patient's sides are."""
NOT_SPACE = {"list", "time", "stub", "vector", "point", "covariant-vector", "normal", "scalar", "complex"}


def read_nrrd_header(path: Path) -> FileHeader:
    """Header of an NRRD file. Raises InputError when it cannot be understood or records no spacing."""
    fields, offset = _fields(path)
    try:
        sizes = [int(size) for size in fields["sizes"].split()]
        if len(sizes) != int(fields["dimension"]):
            raise InputError(TRUNCATED)
        factor, warnings = length_unit(re.findall(r'"([^"]*)"', fields.get("space units", "")))
        spacings = [
            None if spacing is None else factor * spacing for spacing in _spacings(fields, len(sizes))
        ]
        origin = re.findall(r"[^(),\s]+", fields.get("space origin", ""))
        check_numbers([], [factor * float(value) for value in origin])
    except (KeyError, ValueError, OverflowError) as error:
        raise error if isinstance(error, InputError) else InputError(TRUNCATED) from error
    kinds = fields.get("kinds", "").lower().split() or ["domain"] * len(sizes)
    colours, space, times = 1, [], []
    for size, kind, spacing in zip(sizes, kinds, spacings, strict=False):
        if "color" in kind or "matrix" in kind or kind in NOT_SPACE - {"list", "time"}:
            colours *= size
        elif kind in ("list", "time") or spacing is None:
            times.append(size)
        else:
            space.append((size, spacing))
    expected = TYPE_BYTES.get(fields.get("type", "").lower(), 0) * max(0, math.prod(sizes)) or None
    data = fields.get("data file", fields.get("datafile"))
    listed = data is not None and (data.startswith("LIST") or "%" in data)
    rewritten = None
    if listed:
        check_fields(fields, TRUNCATED)
    else:
        lines = ("NRRD0005", *passed_on(fields, PASSED_ON, ": ", TRUNCATED))
        voxels = path if data is None else data_file(path, data)
        rewritten = Rewritten(lines, voxels, offset, data is None, "nrrd")
    return FileHeader(
        [size for size, _ in space] + (times if len(space) >= 3 else []),
        [spacing for _, spacing in space],
        colours,
        expected,
        _available(path, fields, offset, expected),
        oriented="space directions" in fields and fields.get("space", "").lower() in PATIENT_SPACES,
        modality=_modality(fields),
        to_millimetres=factor,
        warnings=warnings,
        rewritten=rewritten,
    )


def _modality(fields: dict[str, str]) -> str:
    """As ITK's DICOM tools and this program's own files record it, in a key/value pair."""
    for key in ("modality", "dicom.modality", "dicom_0008_0060", "0008|0060"):
        if re.fullmatch(MODALITY, found := fields.get(KEY + key, "").upper()):
            return found
    return ""


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Lower-case field names to text, and where the header ends (after the blank line, or with the file)."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        if not stream.readline(20).startswith(b"NRRD"):
            raise InputError("the file is not an NRRD image")
        while line := stream.readline(100_000).strip(b"\r\n"):
            text = line.decode("latin-1")
            if text.startswith("#"):
                continue
            # "field: value" or "key:=value", whichever comes first
            pair = re.match(r"([^:]*)(:=|: )(.*)", text)
            if pair:
                name = pair[1].strip().lower()
                fields[KEY + name if pair[2] == ":=" else name] = pair[3].strip()
        return fields, stream.tell()


def _spacings(fields: dict[str, str], dimension: int) -> list[float | None]:
    """One per axis, millimetres; None for an axis that is not in space."""
    if "space directions" in fields:
        spacings: list[float | None] = []
        for vector in re.findall(r"\(([^)]*)\)|none", fields["space directions"]):
            spacings.append(math.hypot(*(float(part) for part in vector.split(","))) if vector else None)
    elif "spacings" in fields:
        spacings = [float(part) for part in fields["spacings"].split()]
        # Not a number stands for "no spacing" on the axis of a colour or of time.
        if dimension > 3:
            spacings = [None if value is not None and math.isnan(value) else value for value in spacings]
    else:
        raise InputError("the file records no voxel spacing: export it again with spacing")
    if len(spacings) != dimension:
        raise InputError(TRUNCATED)
    return spacings


def _available(path: Path, fields: dict[str, str], offset: int, expected: int | None) -> int | None:
    """Bytes of voxel data, where the header says enough to count them."""
    data = fields.get("data file", fields.get("datafile"))
    if data is not None:
        if data.startswith("LIST"):
            check_listed(path, offset)
            return None
        listed = "%" in data
        path, offset = data_file(path, data.split()[0] if listed else data), 0
        if listed:
            return None
    encoding = fields.get("encoding", "raw").lower()
    try:
        lines, skip = int(fields.get("line skip", "0")), int(fields.get("byte skip", "0"))
    except ValueError as error:
        raise InputError(TRUNCATED) from error
    if expected is None or encoding not in COMPRESSION or lines != 0:
        return None
    if skip > 0 and COMPRESSION[encoding] is None:
        offset += skip
    return available_bytes(path, offset, COMPRESSION[encoding], expected)
