"""The engines by name: each folder here that holds a ``declaration.py``, and those registered from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.options import Option
from mri2mesh.errors import InputError

_registered: dict[str, Engine] = {}


def engines() -> Mapping[str, Engine]:
    """By name, the default of a kind of input before its others."""
    found = [*_declared(), *_registered.values()]
    return {engine.name: engine for engine in sorted(found, key=lambda one: not one.is_default)}


def get_engine(name: str) -> Engine:
    """What an engine says of itself, without importing it. Raises InputError for an unknown name."""
    found = engines()
    if name not in found:
        raise InputError(f"no engine is called {name!r}: use one of {', '.join(found)}")
    return found[name]


def default_engine(kind: str) -> Engine:
    """The engine for a kind of input, by the kind's name."""
    return next(engine for engine in engines().values() if engine.takes.name == kind)


def options_by_name() -> dict[str, list[tuple[Engine, Option]]]:
    """Every option of every engine, and whose it is."""
    found: dict[str, list[tuple[Engine, Option]]] = {}
    for engine in engines().values():
        for option in engine.all_options:
            found.setdefault(option.name, []).append((engine, option))
    return found


def register(engine: Engine) -> Callable[[], None]:
    """Adds an engine from outside this folder; what it returns takes it away again.

    Raises TypeError for a name that is taken, and for an option that another engine has with another type or flag: the
    command line and the worker read an option before they know for which engine it is.
    """
    if engine.name in engines():
        raise TypeError(f"another engine is called {engine.name}")
    check_options_agree([*engines().values(), engine])
    _registered[engine.name] = engine

    def forget() -> None:
        _registered.pop(engine.name, None)

    return forget


def check_options_agree(some: list[Engine]) -> None:
    """Raises TypeError where two engines mean different things by an option of one name, or by one flag."""
    known: dict[str, tuple[object, ...]] = {}
    flags: dict[str, str] = {}
    for option in (option for engine in some for option in engine.all_options):
        manner = (type(option), option.flag, option.per_image, getattr(option, "whole", None))
        if known.setdefault(option.name, manner) != manner:
            raise TypeError(f"two engines mean different things by the option {option.name!r}")
        if flags.setdefault(option.flag, option.name) != option.name:
            raise TypeError(f"two options are called --{option.flag}")


@cache
def _declared() -> tuple[Engine, ...]:
    return tuple(_found())


def _found() -> Iterator[Engine]:
    for folder in sorted(Path(__file__).parent.iterdir()):
        if (folder / "declaration.py").is_file():
            yield import_module(f"mri2mesh.engines.{folder.name}.declaration").ENGINE
