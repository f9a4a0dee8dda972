"""Surfaces while they are being found, as files to look at."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mri2mesh.export.surfaces import write_surface
from mri2mesh.geometry.mesh import Mesh

INTERVAL_S = 0.3
KEPT = 2
"""Number of steps whose files stay: the newest and the one before it, which may still be being read."""


class LiveSurfaces:
    """Called with surfaces by name, the fraction done and what is known of each radiograph: writes the surfaces, a few
    times per second at most, and reports where.

    Every set of files has names of its own: no program reads one while it changes.
    """

    def __init__(self, folder: Path, report: Callable[[float, dict[str, str], Sequence[Any]], None]) -> None:
        self._folder = folder
        self._report = report
        self._written: list[list[Path]] = []
        self._count = 0
        self._next = 0.0

    def __call__(self, surfaces: Mapping[str, Mesh], fraction: float, views: Sequence[Any]) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL_S
        self._count += 1
        files = {
            name: write_surface(mesh, self._folder / f"live_{self._count}_{name}.vtp")
            for name, mesh in surfaces.items()
        }
        self._written.append(list(files.values()))
        self._report(fraction, {name: str(file) for name, file in files.items()}, views)
        self._forget(KEPT)

    def close(self) -> None:
        """The newest stay until the worker ends: the last event names them."""
        self._forget(1)

    def _forget(self, keep: int) -> None:
        while len(self._written) > keep:
            for file in self._written.pop(0):
                with contextlib.suppress(
                    OSError
                ):  # Windows: still open somewhere; the folder goes at the end
                    file.unlink()
