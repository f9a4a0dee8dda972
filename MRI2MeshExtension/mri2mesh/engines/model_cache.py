"""What engines load, reused where there are several runs in one process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from mri2mesh.weights import search_folders
from mri2mesh.weights_manifest import MANIFEST

Cache = Callable[..., Any]
"""``cache(load, *arguments)`` gives what ``load(*arguments)`` gives, perhaps from an earlier run."""


def no_cache(load: Callable[..., Any], *arguments: Hashable) -> Any:
    """The `Cache` that remembers nothing."""
    return load(*arguments)


class ModelCache:
    """A `Cache` of the last few things loaded; the oldest go, so that memory stays bounded."""

    def __init__(self, at_most: int = 3) -> None:
        self._at_most = at_most
        self._things: OrderedDict[Hashable, Any] = OrderedDict()

    def __call__(self, load: Callable[..., Any], *arguments: Hashable) -> Any:
        key = (load, arguments, _weights_now())
        if key not in self._things:
            self._things[key] = load(*arguments)
        self._things.move_to_end(key)
        while len(self._things) > self._at_most:
            self._things.popitem(last=False)
        return self._things[key]

    def clear(self) -> None:
        self._things.clear()


def _weights_now() -> tuple[int, ...]:
    """Another value once weights were imported or deleted: what was loaded before is then not what a run would load."""
    manifests = [folder / MANIFEST for folder in search_folders()]
    return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in manifests)
