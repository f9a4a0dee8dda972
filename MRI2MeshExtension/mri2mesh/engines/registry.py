"""The engines by name. A new one is a module in this folder and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.imaging.kind import InputKind

Progress = Callable[[str, float], None]
"""Called with the name of the stage and the fraction done of the whole, 0..1; what it raises ends the run."""
Watch = Callable[[Mapping[str, Mesh], float, Sequence[NDArray]], None]
"""Called with the surfaces so far by name, the fraction done of the engine's own work, and per radiograph the [4, 4]
that moves the surfaces to where its geometry shows them, or none where nothing is corrected. What it raises ends the
run."""


@dataclass(frozen=True)
class Entry:
    """module: whose ``reconstruct`` takes the input, with keywords ``device``, ``progress``, ``cache``
    (`model_cache`) and those of ``options`` that were given, and returns a `Reconstruction`.

    takes: ``"volume"``, or ``"radiographs"``, a list of them. options: of `run.Request` those it has a use for;
    ``landmarks`` come as pixels of each radiograph, ``start`` as the earlier result's ``provenance["fit"]``.
    shows: it also takes ``watch``, a `Watch`.
    """

    module: str
    takes: InputKind
    options: tuple[str, ...]
    shows: bool = False


ENGINES = {
    "mri2mesh": Entry("mri2mesh.engines.mri2mesh.engine", "volume", ("level", "level_shift", "weights_dir")),
    "xray-fit": Entry(
        "mri2mesh.engines.xray_fit.engine",
        "radiographs",
        ("anatomy", "landmarks", "masks", "start"),
        shows=True,
    ),
}
"""The engines by name. The first that takes a kind of input is its default."""


def get_engine(name: str) -> ModuleType:
    """The engine's module. Raises InputError for an unknown name."""
    return import_module(get_entry(name).module)


def get_entry(name: str) -> Entry:
    """What is known of an engine without importing it. Raises InputError for an unknown name."""
    if name not in ENGINES:
        raise InputError(f"no engine is called {name!r}: use one of {', '.join(ENGINES)}")
    return ENGINES[name]


def default_engine(kind: InputKind) -> str:
    """The engine for a kind of input."""
    return next(name for name, entry in ENGINES.items() if entry.takes == kind)
