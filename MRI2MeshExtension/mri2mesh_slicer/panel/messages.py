"""Words on the panel: told, asked and coloured in one place."""

from __future__ import annotations

from typing import Any

import slicer

GOOD, DOUBTFUL, BAD = "#2e7d32", "#b26a00", "#c62828"
"""Readable on Slicer's light and dark backgrounds."""


def say(label: Any, text: str, colour: str = "") -> None:
    """A line on the panel; hidden when there is nothing to say."""
    label.text = text
    label.setStyleSheet(f"color: {colour}" if colour else "")
    label.setVisible(bool(text))


def ask(question: str, title: str) -> bool:
    return bool(slicer.util.confirmOkCancelDisplay(question, windowTitle=title))
