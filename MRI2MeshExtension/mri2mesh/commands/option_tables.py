"""The tables of engines and options for the README, from what the engines declare.

    python -m mri2mesh.commands.option_tables --write README.md

replaces what is between the two marks in that file; without ``--write`` the tables are printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from mri2mesh.commands.made_tables import between_marks, print_or_write
from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import OF_EVERY_RUN
from mri2mesh.engines.options import Option
from mri2mesh.engines.registry import engines

BEGIN = "<!-- engines and options: made by `make tables`, do not edit -->"
END = "<!-- end of engines and options -->"


def tables() -> str:
    """Markdown between the marks: the engines, the options of every run, of each kind of input, and of each engine."""
    declared = list(engines().values())
    kinds = {engine.takes.name: engine.takes for engine in declared}.values()
    parts = [
        _table(("engine", "for", "what it does"), [_row(engine) for engine in declared]),
        "Options of every run:",
        _options(OF_EVERY_RUN),
    ]
    for kind in kinds:
        parts += [f"For {kind.words}, whatever the engine:", _options(kind.options)]
    for engine in declared:
        if engine.options:
            parts += [f"For the engine `{engine.name}`:", _options(engine.options)]
    return "\n\n".join(parts)


def with_tables(text: str) -> str:
    """A file's text with the tables between its marks. Raises ValueError where the marks are missing."""
    return between_marks(text, tables(), BEGIN, END)


def _row(engine: Engine) -> tuple[str, str, str]:
    default = " (its default)" if engine.is_default else ""
    return f"`{engine.name}`", engine.takes.words + default, f"{engine.title}. {engine.sentence}"


def _options(options: Iterable[Option]) -> str:
    rows = []
    for option in options:
        notes = [option.help_shown]
        if option.required:
            notes.append("required")
        if option.per_image:
            notes.append("once per image" + (" or once for all" if option.one_for_all else ""))
        rows.append((f"`{option.shown}`", "; ".join(notes)))
    return _table(("option", "what it does"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """As `print_or_write`."""
    return print_or_write("Tables of engines and options, for the README.", tables(), BEGIN, END, arguments)


if __name__ == "__main__":
    sys.exit(main())
