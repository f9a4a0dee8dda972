"""What can happen to a file: bytes damaged, cut, doubled or swapped; numbers and names replaced by hostile ones."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable

import numpy as np

Random = np.random.Generator

HOSTILE_BYTES = (b"\0", b"\xff", b"-", b"9", b".", b"\\", b"\n", b"\x80", b"=", b":", b'"', b"[")
HOSTILE_NUMBERS = (
    b"0", b"-1", b"1e308", b"-1e308", b"1e-300", b"nan", b"inf", b"1" + b"0" * 400, b"9" * 5000, b"2147483648",
    b"4294967296", b"18446744073709551616", b"0.5", b"65536", b"99999", b"", b"abc",
)  # fmt: skip
HOSTILE_TEXT = (
    b"../../../etc/passwd", b"/dev/zero", b"/etc/hostname", b"C:\\windows\\win.ini", b"a\0b", b"LIST", b"%d 0 9 1",
    b"%n%s", b"\xff\xfe", b"\xed\xa0\x80", b"[" * 20_000, b'{"a":' * 5000, b"\\ud800", b"x" * 100_000,
)  # fmt: skip
INTEGERS = (0, 1, 2, 3, 7, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)
FLOATS = (0.0, -0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), float("-inf"), 1.0, 0.5, 352.0)


def mutated(data: bytes, random: Random, other: bytes) -> bytes:
    """The file after one to four mutations. other: another seed, for parts that do not belong."""
    for _ in range(int(random.choice([1, 1, 1, 2, 3, 4]))):
        mutation = MUTATIONS[int(random.integers(len(MUTATIONS)))]
        data = mutation(data, random, other)
    return data


def _place(data: bytes, random: Random) -> int:
    """Anywhere, and more often near the beginning, where headers are."""
    end = len(data) if random.random() < 0.3 else min(len(data), int(random.choice([16, 400, 1500])))
    return int(random.integers(max(end, 1)))


def _flip(data: bytes, random: Random, other: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(int(random.integers(1, 8))):
        if out:
            out[_place(data, random)] ^= 1 << int(random.integers(8))
    return bytes(out)


def _overwrite(data: bytes, random: Random, other: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(int(random.integers(1, 4))):
        at = _place(data, random)
        out[at : at + 1] = HOSTILE_BYTES[int(random.integers(len(HOSTILE_BYTES)))]
    return bytes(out)


def _binary_number(data: bytes, random: Random, other: bytes) -> bytes:
    at, order = _place(data, random), "<>"[int(random.integers(2))]
    kind = "bhifdq"[int(random.integers(6))]
    if kind in "fd":
        packed = struct.pack(order + kind, FLOATS[int(random.integers(len(FLOATS)))])
    else:
        size = struct.calcsize(kind)
        value = INTEGERS[int(random.integers(len(INTEGERS)))] & ((1 << (8 * size)) - 1)
        packed = value.to_bytes(size, "little" if order == "<" else "big")
    at -= at % 2
    return data[:at] + packed + data[at + len(packed) :]


def _cut(data: bytes, random: Random, other: bytes) -> bytes:
    return data[: int(random.integers(len(data) + 1))]


def _remove(data: bytes, random: Random, other: bytes) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + int(random.integers(1, 64)) :]


def _insert(data: bytes, random: Random, other: bytes) -> bytes:
    at = _place(data, random)
    return data[:at] + random.bytes(int(random.integers(1, 64))) + data[at:]


def _splice(data: bytes, random: Random, other: bytes) -> bytes:
    at, begin = _place(data, random), _place(other, random)
    part = other[begin : begin + int(random.integers(1, 512))]
    return data[:at] + part + data[at + (len(part) if random.random() < 0.5 else 0) :]


def _repeat(data: bytes, random: Random, other: bytes) -> bytes:
    at, length = _place(data, random), int(random.integers(1, 256))
    return data[:at] + data[at : at + length] * int(random.integers(2, 20)) + data[at + length :]


def _written_number(data: bytes, random: Random, other: bytes) -> bytes:
    """A number in text: in headers, JSON and DICOM's decimal strings."""
    return _replaced(data, random, rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", HOSTILE_NUMBERS)


def _written_word(data: bytes, random: Random, other: bytes) -> bytes:
    return _replaced(data, random, rb"[A-Za-z_.]{3,40}", (*HOSTILE_TEXT, *HOSTILE_NUMBERS))


def _replaced(data: bytes, random: Random, pattern: bytes, by: tuple[bytes, ...]) -> bytes:
    found = list(re.finditer(pattern, data[:6000]))
    if not found:
        return data
    match = found[int(random.integers(len(found)))]
    return data[: match.start()] + by[int(random.integers(len(by)))] + data[match.end() :]


def _inside_archive(data: bytes, random: Random, other: bytes) -> bytes:
    """A zip file whose members are damaged and whose checksums are right, as somebody would make it on purpose."""
    if not data.startswith(b"PK"):
        return _flip(data, random, other)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = list(members)[int(random.integers(len(members)))]
        members[name] = MUTATIONS[int(random.integers(len(MUTATIONS) - 1))](members[name], random, other)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return out.getvalue()
    except Exception:  # damaged already by an earlier mutation
        return data


MUTATIONS: tuple[Callable[[bytes, Random, bytes], bytes], ...] = (
    _flip, _overwrite, _binary_number, _cut, _remove, _insert, _splice, _repeat, _written_number, _written_word,
    _inside_archive,
)  # fmt: skip
