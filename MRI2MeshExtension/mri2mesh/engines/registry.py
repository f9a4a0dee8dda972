"""The engines by name. A new one is a module in this folder and a line here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from mri2mesh.errors import InputError
from mri2mesh.imaging.volume import Volume
from mri2mesh.reconstruction import Reconstruction

ENGINES = {"mri2mesh": "mri2mesh.engines.mri2mesh"}

Progress = Callable[[str, float], None]
"""Called with the name of the stage and the fraction done of the whole, 0..1."""


class Engine(Protocol):
    def reconstruct(
        self,
        volume: Volume,
        *,
        device: str = "auto",
        level_shift: int = 0,
        weights_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> Reconstruction: ...


def get_engine(name: str) -> Engine:
    """The engine's module. Raises InputError for an unknown name."""
    if name not in ENGINES:
        raise InputError(f"no engine is called {name!r}: use one of {', '.join(ENGINES)}")
    return cast(Engine, import_module(ENGINES[name]))
