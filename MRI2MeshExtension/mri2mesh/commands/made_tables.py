"""Tables that a file holds between two marks: printed, or put there anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def between_marks(text: str, tables: str, begin: str, end: str) -> str:
    """A file's text with the tables between its marks. Raises ValueError where the marks are missing."""
    before, found_begin, rest = text.partition(begin)
    _old, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the lines {begin} and {end} are missing")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


def print_or_write(about: str, tables: str, begin: str, end: str, arguments: Sequence[str] | None) -> int:
    """0 when done, 2 for a file that cannot be read or has no marks. about: what the tables are."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put them between the marks of this file")
    file = parser.parse_args(arguments).write
    if file is None:
        print(tables)
        return 0
    try:
        text = between_marks(file.read_text(encoding="utf-8"), tables, begin, end)
    except (OSError, ValueError) as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 2
    file.write_text(text, encoding="utf-8")
    return 0
