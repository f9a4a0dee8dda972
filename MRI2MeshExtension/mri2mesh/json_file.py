"""JSON that other programs and people wrote, in any Unicode encoding that names itself; nothing in it can do harm."""

from __future__ import annotations

import codecs
import json
from os import PathLike
from pathlib import Path
from typing import Any

LARGEST_BYTES = 64 << 20
"""No file of settings, landmarks or results is as large as this."""
LONGEST_INTEGER = 18
"""Digits; a longer whole number becomes a floating-point number, at most infinity, which every reader here refuses."""
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Editors of Windows save UTF-8 with a byte-order mark, PowerShell 5 saves UTF-16."""


def read_json(path: str | PathLike[str]) -> Any:
    """The content of a JSON file. Raises OSError where it cannot be read, ValueError where it is not JSON."""
    path = Path(path)
    if path.stat().st_size > LARGEST_BYTES:
        raise ValueError("far too large for a JSON file of this kind")
    return parse_json(path.read_bytes())


def parse_json(data: bytes) -> Any:
    """Raises ValueError for what is not JSON, deep nesting included; no other exception."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        return json.loads(data.decode(encoding), parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)
