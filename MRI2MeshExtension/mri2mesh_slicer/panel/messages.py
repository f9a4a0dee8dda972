"""Words on the panel: said, asked and coloured in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import slicer

GOOD, DOUBTFUL, BAD = "#2e7d32", "#b26a00", "#c62828"
"""Colours readable on Slicer's light and dark backgrounds."""


OPTIONS = {
    "with --level-shift": "with the buttons below the table",
    "with --camera": "in section 2",
    "with --landmarks": "as landmarks in section 2",
}
"""Options of the command line, and where the panel has the same."""
OF_FILES = {
    "with --level-shift": "in section 2",
    "with --camera": "as NAME.camera.json beside it",
    "with --landmarks": "as NAME.mrk.json beside it",
}
"""Options of the command line, and where the panel has the same for images that are not in the scene."""
OF_EXPORT = {
    "export them without --join": 'untick "One mesh"',
    "leave out --join": 'untick "One mesh"',
    "name them in --structures": "tick them",
    " or a larger --max-displacement": "",
    " or --mesher": "",
}
"""Options of ``mri2mesh export``, and where the panel has the same."""
ABBREVIATED = ("asis", "psis")


def say(label: Any, text: str, colour: str = "") -> None:
    """A line on the panel; hidden when there is nothing to say."""
    label.text = text
    label.setStyleSheet(f"color: {colour}" if colour else "")
    label.setVisible(bool(text))


def sentences(text: str, options: Mapping[str, str] = OPTIONS) -> str:
    """What the library says, for the panel: a sentence, and with the panel's words for options of the command line."""
    for option, words in options.items():
        text = text.replace(option, words)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) or not text else text + "."


def ask(question: str, title: str) -> bool:
    return bool(slicer.util.confirmOkCancelDisplay(question, windowTitle=title))


def words(name: str) -> str:
    """The name of a landmark or a structure, as ``"ASIS left"`` for ``asis_left``."""
    parts = [part.upper() if part in ABBREVIATED else part for part in name.split("_")]
    return " ".join([parts[0][:1].upper() + parts[0][1:], *parts[1:]])
