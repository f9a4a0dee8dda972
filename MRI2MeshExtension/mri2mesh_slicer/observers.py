"""Observers of MRML nodes that can all be taken off again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class Observers:
    """Methods that are called on events of nodes and scenes, until `clear` or until their object is gone.

    They do not keep that object alive: an observer that did would, in a cycle through VTK, be called on an object whose
    attributes Python's garbage collector has already taken away.
    """

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, observed: Any, event: int, method: Callable[..., None]) -> None:
        """Call a bound method(caller, event), with call data too where `vtk.calldata_type` declares it."""
        reference = weakref.WeakMethod(method)

        def call(caller: Any, name: str, *data: Any) -> None:
            alive = reference()
            if alive is not None:
                alive(caller, name, *data)

        if hasattr(method, "CallDataType"):
            call.CallDataType = method.CallDataType  # type: ignore[attr-defined]
        self._tags.append((observed, observed.AddObserver(event, call)))

    def clear(self) -> None:
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags.clear()

    def __del__(self) -> None:
        self.clear()
