"""What an engine says of itself in its folder's ``declaration.py``, as ``ENGINE = Engine(...)``.

Everything that offers engines reads it: nothing else is to be written for a new engine or a new option. Such a file
imports nothing heavy; functions are named as ``"module:function"`` and imported when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mri2mesh.engines.options import Option

RESERVED = {
    *(
        "image",
        "out",
        "engine",
        "device",
        "formats",
        "debug",
        "command",
        "run",
        "folder",
        "jobs",
        "scheduler",
    ),
    *("live", "marker", "progress", "cache", "watch"),
}
"""Names that the command line, the worker or ``reconstruct`` itself use for something else."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an engine is given, and the options that go with it whichever engine takes it.

    words: as in "for radiographs". several: whether there may be more than one image. read: ``"module:function"`` that
    makes the image of ``(paths, options)``, where options are those of the request by name.
    """

    name: str
    words: str
    read: str
    several: bool = False
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One method.

    name: on the command line and in reports. title: ``"NAME: what it makes of what"``, for people.
    sentence: what it does, for the panel and the tables. minutes_hint: how long it takes on a processor.
    takes: the kind of its input. most_images: None for as many as the kind has. is_default: for its kind.
    options: besides those of the kind.
    reconstruct: ``"module:function"``, called with the image (a list where the kind has several) and with the keywords
    ``device``, ``progress`` (`engines.stages.Progress`), ``cache`` (`engines.model_cache.Cache`), those of the options
    that were given and, where shows is true and somebody looks on, ``watch`` (`engines.stages.Watch`). It returns a
    `Reconstruction`. weights: names in the manifest. levels: its structures are levels of the spine, which may be
    counted wrongly. input_warnings: ``"module:function"`` that gives, for a volume, sentences on what of it the method
    is not made for.
    """

    name: str
    title: str
    sentence: str
    takes: Kind
    reconstruct: str
    options: tuple[Option, ...] = ()
    weights: tuple[str, ...] = ()
    minutes_hint: float | None = None
    most_images: int | None = None
    is_default: bool = False
    shows: bool = False
    levels: bool = False
    input_warnings: str = ""

    def __post_init__(self) -> None:
        if taken := {option.name for option in self.options} & RESERVED:
            raise TypeError(
                f"the engine {self.name} cannot have an option {taken.pop()!r}: the name is taken"
            )
        for what, given in (
            ("name", [option.name for option in self.all_options]),
            ("flag", [option.flag for option in self.all_options]),
        ):
            if twice := {one for one in given if given.count(one) > 1}:
                raise TypeError(f"the engine {self.name} has two options with the {what} {twice.pop()!r}")

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Those of its kind of input first."""
        return (*self.takes.options, *self.options)

    @property
    def short_title(self) -> str:
        """What people call it, and its runs."""
        return self.title.split(":")[0]

    @property
    def image_limit(self) -> int | None:
        """The most images of one run; None for any number."""
        return self.most_images if self.takes.several else 1

    def option(self, name: str) -> Option | None:
        """The option of that name, None where it has none."""
        return next((option for option in self.all_options if option.name == name), None)

    def load(self) -> Callable[..., Any]:
        """Its ``reconstruct``, imported now."""
        return load(self.reconstruct)


def load(place: str) -> Callable[..., Any]:
    """The function, or class, at ``"module:name"``."""
    module, name = place.split(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
