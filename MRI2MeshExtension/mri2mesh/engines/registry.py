"""The engines by name. A new one is a module in this folder and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from mri2mesh.errors import InputError
from mri2mesh.imaging.kind import InputKind

Progress = Callable[[str, float], None]
"""Called with the name of the stage and the fraction done of the whole, 0..1."""


@dataclass(frozen=True)
class Entry:
    """module: whose ``reconstruct`` returns a `Reconstruction`. takes: ``"volume"``, with keywords ``device,
    level_shift, weights_dir, progress``; or ``"radiographs"``, a list of them, with ``anatomy, landmarks, device,
    progress``."""

    module: str
    takes: InputKind


ENGINES = {
    "mri2mesh": Entry("mri2mesh.engines.mri2mesh", "volume"),
    "xray-fit": Entry("mri2mesh.engines.xray_fit", "radiographs"),
}
"""The first that takes a kind of input is its default."""


def get_engine(name: str) -> ModuleType:
    """The engine's module. Raises InputError for an unknown name."""
    return import_module(_entry(name).module)


def takes(name: str) -> InputKind:
    """The kind of input of an engine. Raises InputError for an unknown name."""
    return _entry(name).takes


def default_engine(kind: InputKind) -> str:
    """The engine for a kind of input."""
    return next(name for name, entry in ENGINES.items() if entry.takes == kind)


def _entry(name: str) -> Entry:
    if name not in ENGINES:
        raise InputError(f"no engine is called {name!r}: use one of {', '.join(ENGINES)}")
    return ENGINES[name]
