"""What a file is by its first bytes, never by its name, and a plain name under which compiled libraries open it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast

from mri2mesh.errors import InputError

Content = Literal["dicom", "nifti", "nrrd", "metaimage", "png", "jpeg", "tiff", "bmp", "unknown"]
Container = Literal["gzip", "bzip2", "xz"]

BEGINNING_BYTES = 4096
PICTURES: dict[str, tuple[str, str]] = {
    "png": (".png", "PNGImageIO"),
    "jpeg": (".jpg", "JPEGImageIO"),
    "tiff": (".tif", "TIFFImageIO"),
    "bmp": (".bmp", "BMPImageIO"),
}
"""What a picture is to the ending ITK expects of its name and the ITK class that reads its pixels."""
CONTAINERS: dict[bytes, Container] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
ARCHIVES = {
    b"PK\x03\x04": "ZIP", b"PK\x05\x06": "ZIP", b"Rar!": "RAR", b"7z\xbc\xaf\x27\x1c": "7-Zip",
}  # fmt: skip
OTHER = {
    b"GIF8": "GIF picture", b"%PDF": "PDF document", b"\x93NUMPY": "NumPy array", b"\x89HDF": "HDF5 file",
    b"\0\0\0\x0cjP  ": "JPEG 2000 picture", b"\xff\x4f\xff\x51": "JPEG 2000 picture",
    b"\x28\xb5\x2f\xfd": "file compressed with Zstandard", b"# vtk DataFile": "VTK file",
}  # fmt: skip
"""Beginnings of what people try and what cannot be read, to what it is called."""
_TAR, _RIFF = slice(257, 262), slice(8, 12)
_EXPLICIT_VR = re.compile(rb"AE|AS|AT|CS|DA|DS|DT|FL|FD|IS|LO|LT|OB|OW|PN|SH|SQ|ST|TM|UI|UL|UN|US|UT")
_BARE_ELEMENTS = (0x0000, 0x0001, 0x0005, 0x0008, 0x0012, 0x0016, 0x0018)
"""Of group 0008, those that a DICOM data set without a file header can begin with."""


def beginning_of(path: Path) -> bytes:
    """The first bytes of a file. Raises OSError where it cannot be read."""
    with path.open("rb") as stream:
        return stream.read(BEGINNING_BYTES)


def container_of(beginning: bytes) -> Container | None:
    """The compression of a whole file, by its first bytes."""
    return next((name for magic, name in CONTAINERS.items() if beginning.startswith(magic)), None)


def open_plain(path: Path, container: Container | None) -> IO[bytes]:
    """The file without its compression. What reading raises is of `DAMAGED`."""
    if container is None:
        return path.open("rb")
    openers: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
    return cast(IO[bytes], openers[container](path, "rb"))


def content_of(beginning: bytes) -> Content:
    """What a file is by its first bytes (`BEGINNING_BYTES` of them, or all)."""
    if beginning[128:132] == b"DICM" or _bare_dicom(beginning):
        return "dicom"
    if beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if beginning.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if beginning[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if beginning.startswith(b"BM") and beginning[6:10] == bytes(4):
        return "bmp"
    if beginning.startswith(b"NRRD0"):
        return "nrrd"
    if len(beginning) >= 348 and any(
        struct.unpack_from(order + "i", beginning)[0] in (348, 540) for order in "<>"
    ):
        return "nifti"
    first_line = beginning.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    if b"=" in first_line and re.search(rb"(?m)^(\xef\xbb\xbf)?\s*NDims\s*=", beginning):
        return "metaimage"
    return "unknown"


def refuse_unknown(beginning: bytes, otherwise: str) -> InputError:
    """The one line on a file that is nothing this program reads; `otherwise` where it is not recognised at all."""
    for magic, name in ARCHIVES.items():
        if beginning.startswith(magic):
            return InputError(f"the file is a {name} archive: unpack it, and give what is in it")
    if beginning[_TAR] == b"ustar":
        return InputError("the file is a TAR archive: unpack it, and give what is in it")
    for magic, name in OTHER.items():
        if beginning.startswith(magic):
            return InputError(f"the file is a {name}, which is not read: export the image itself, as DICOM")
    if beginning.startswith(b"RIFF") and beginning[_RIFF] == b"WEBP":
        return InputError("the file is a WebP picture, which is not read: export the image itself, as DICOM")
    if beginning[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return InputError("the file is text in UTF-16: save it as plain text, or export the image again")
    return InputError(otherwise)


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, with or without the preamble of 128 bytes. Raises OSError."""
    return content_of(beginning_of(path)) == "dicom"


def require_file(path: Path, missing: str) -> None:
    """Raises InputError, `missing`, where there is none, and for what is neither a file nor a folder."""
    # A zero byte ends a name in every file system; Python raises ValueError for it.
    if "\0" in os.fspath(path) or not path.exists():
        raise InputError(missing)
    if not path.is_file() and not path.is_dir():
        raise InputError(
            "the path is neither a file nor a folder (a device or a pipe): save the image as a file"
        )


@contextmanager
def under_a_plain_name(path: Path, ending: str) -> Iterator[str]:
    """A name of plain letters for the same file, alone in a folder, with the ending that a library expects.

    A name that is not UTF-8 ends the process inside ITK, and the NIfTI library prefers ``A.nii`` to the ``A.nii.gz``
    beside it. The name is a link; where the system allows none, the file is copied.
    """
    with tempfile.TemporaryDirectory(prefix="mri2mesh-") as folder:
        plain = os.path.join(folder, "image" + ending)
        link(path, plain)
        yield plain


def link(path: Path, plain: str) -> None:
    """Makes a second name for a file; where the system allows no links, a copy."""
    target = os.path.abspath(path)
    try:
        os.symlink(target, plain)
    except (OSError, NotImplementedError):
        try:
            os.link(target, plain)
        except (OSError, NotImplementedError):
            shutil.copyfile(target, plain)


ENDINGS: dict[Content, str] = {"dicom": ".dcm", "nifti": ".nii", "nrrd": ".nrrd", "metaimage": ".mha"}


@contextmanager
def openable(path: Path) -> Iterator[str]:
    """A plain name with the ending that its content asks for, by which any library recognises a file.

    A detached header keeps its own, because it names its data file beside it. Raises OSError where it cannot be read,
    ValueError for a name with a zero byte.
    """
    beginning = beginning_of(path)
    content = content_of(beginning)
    ending = PICTURES[content][0] if content in PICTURES else ENDINGS.get(content, path.suffix)
    if container_of(beginning):
        ending = ".nii.gz"
    detached = re.search(rb"(?mi)^(data ?file:|ElementDataFile\s*=\s*(?!LOCAL))", beginning)
    if content in ("nrrd", "metaimage") and detached:
        os.fspath(path).encode()  # ValueError, where ITK would end the process
        yield os.fspath(path)
    else:
        with under_a_plain_name(path, ending) as plain:
            yield plain


def _bare_dicom(beginning: bytes) -> bool:
    """A data set without preamble and file header, as old archives keep them: it begins with group 0002 or 0008."""
    if len(beginning) < 16:
        return False
    for order in "<>":
        group, element = struct.unpack_from(order + "HH", beginning)
        if group not in (0x0002, 0x0008):
            continue
        if _EXPLICIT_VR.fullmatch(beginning[4:6]):
            return True
        (length,) = struct.unpack_from("<I", beginning, 4)
        if order == "<" and group == 8 and element in _BARE_ELEMENTS and length <= 256 and length % 2 == 0:
            following = beginning[8 + length : 12 + length]
            return len(following) == 4 and struct.unpack("<HH", following) > (group, element)
    return False
