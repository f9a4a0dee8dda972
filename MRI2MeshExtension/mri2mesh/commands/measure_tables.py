"""The tables of definitions for Docs/measures.md, from what the measures say of themselves.

    python -m mri2mesh.commands.measure_tables --write Docs/measures.md

replaces what is between the two marks in that file; without ``--write`` the tables are printed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mri2mesh.commands.made_tables import between_marks, print_or_write
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
    return between_marks(text, tables(), BEGIN, END)


def main(arguments: Sequence[str] | None = None) -> int:
    """As `print_or_write`."""
    return print_or_write(
        "Tables of the measures' definitions, for Docs/measures.md.", tables(), BEGIN, END, arguments
    )


if __name__ == "__main__":
    sys.exit(main())
