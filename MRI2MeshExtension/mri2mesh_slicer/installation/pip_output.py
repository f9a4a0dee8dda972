"""How far an installation is, and why it failed, by the lines that pip prints."""

from __future__ import annotations

import re
from collections import deque
from pathlib import PurePosixPath

REMEMBERED_LINES = 40
NEARER = 0.07
"""Fraction of what is left by which each package that pip fetches brings the end nearer: it does not say how many there
will be."""


class PipOutput:
    """Give it the lines one by one: ``fraction`` done, ``what`` is being done, and what to say after a failure."""

    def __init__(self) -> None:
        self.fraction, self.what = 0.0, ""
        self._lines: deque[str] = deque(maxlen=REMEMBERED_LINES)

    def add(self, line: str) -> None:
        self._lines.append(line)
        if fetched := re.match(r"\s*(?:Collecting|Processing|Downloading|Using cached) (\S+)(.*)", line):
            self.what = (PurePosixPath(fetched[1]).name + fetched[2]).strip()
            self.fraction += NEARER * (1.0 - self.fraction)
        elif line.startswith("Installing collected packages"):
            self.what, self.fraction = "", 0.95

    @property
    def text(self) -> str:
        """The last lines."""
        return "\n".join(self._lines)

    @property
    def error(self) -> str:
        """The first error that pip names, or none."""
        return next((line.partition(":")[2].strip() for line in self._lines if line.startswith("ERROR:")), "")
