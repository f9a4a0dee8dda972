"""The tables of definitions for Docs/measures.md, from what the measures say of themselves.

    python -m mri2mesh.commands.measure_tables --write Docs/measures.md

replaces what is between the two marks in that file; without ``--write`` the tables are printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mri2mesh.measures.definitions import DEFINITIONS

BEGIN = "<!-- definitions: made by `make tables`, do not edit -->"
END = "<!-- end of definitions -->"


def tables() -> str:
    """Markdown between the marks: a table for each group of measures."""
    groups = dict.fromkeys(one.group for one in DEFINITIONS.values())
    parts = []
    for group in groups:
        rows = [one for one in DEFINITIONS.values() if one.group == group]
        lines = [f"| {one.title} | `{one.key}` | {one.unit} | {one.meaning} | {one.source} |" for one in rows]
        parts += [
            f"### {group}",
            "\n".join(
                ["| measure | in files | unit | what it is | after |", "|---|---|---|---|---|", *lines]
            ),
        ]
    return "\n\n".join(parts)


def with_tables(text: str) -> str:
    """A file's text with the tables between its marks. Raises ValueError where the marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the lines {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, metavar="FILE")
    path = parser.parse_args(arguments).write
    if path is None:
        print(tables())
    else:
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
