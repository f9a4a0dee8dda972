"""Observers of MRML nodes that can all be taken off again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Observers:
    """Callbacks on nodes and scenes; VTK keeps them, and what they belong to, alive until `clear`."""

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, observed: Any, event: int, callback: Callable[..., None]) -> None:
        """Call ``callback(caller, event)`` on each such event, or with call data as `vtk.calldata_type` declares."""
        self._tags.append((observed, observed.AddObserver(event, callback)))

    def clear(self) -> None:
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags.clear()
