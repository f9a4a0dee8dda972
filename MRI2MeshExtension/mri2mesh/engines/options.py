"""The types of options that an engine, or a kind of input, can declare.

One declaration is what the command line, the worker, the panel, a batch, the saved scene and the README's tables are
made from. Nothing heavy is imported here: a declaration is read before anything is computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NONE = "-"
"""Stands on the command line in place of what one of several images does not have."""


def is_text(given: Any) -> bool:
    """Whether it is a text, with letters, and without a zero byte, which no path may hold."""
    return isinstance(given, str) and bool(given.strip()) and "\0" not in given


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that can be asked of a run.

    name: keyword of the engine's ``reconstruct``, and key in the worker's JSON and in the saved scene.
    help: what it does, for the command line, the panel and the tables, from a small letter on and without a full stop.
    label: of its row in the panel; an option without one is not shown there.
    flag: of the command line, where it is not the name. placeholder: of its value there and in the tables.
    default: what is not handed on to ``reconstruct`` when it is given. required: a run needs it.
    per_image: one value for each image, in their order, None for an image without. one_for_all: or one for all of them.
    in_batch: what was chosen in the panel goes with every case of a folder.
    beside: ending of the file that holds it beside an image of a folder, as ``".camera.json"`` for NAME.camera.json.
    beside_pictures: a file of that name without NAME is that of all pictures in the folder.
    read: ``"module:function"`` that makes what ``reconstruct`` takes out of ``(value, Inputs)``,
    `mri2mesh.engines.reading.Inputs`; by default the value is handed on as it is.
    excludes: names of options that must not be given beside it.

    The values of an option are of its type here; those of one per image are tuples of it.
    """

    name: str = field(kw_only=False)
    help: str
    label: str = ""
    flag: str = ""
    placeholder: str = ""
    default: Any = None
    required: bool = False
    per_image: bool = False
    one_for_all: bool = False
    in_batch: bool = True
    beside: str = ""
    beside_pictures: bool = False
    read: str = ""
    excludes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.flag:
            object.__setattr__(self, "flag", self.name.replace("_", "-"))

    @property
    def takes_value(self) -> bool:
        """Whether a value follows it on the command line."""
        return True

    @property
    def shown(self) -> str:
        """As on the command line: ``"--level-shift N"``."""
        return f"--{self.flag} {self.value_shown}" if self.takes_value else f"--{self.flag}"

    @property
    def value_shown(self) -> str:
        return self.placeholder or self.flag.upper().replace("-", "_")

    @property
    def help_shown(self) -> str:
        """The help, with what a value must be."""
        return self.help

    def is_given(self, value: Any) -> bool:
        """Whether a value asks for something that the engine would not do anyway."""
        return value is not None and value != () and value != self.default

    def from_text(self, given: str) -> Any:
        """A value from the command line, of one per image that of one image. Raises ValueError with what it must be."""
        return None if self.per_image and given == NONE else self._from_text(given)

    def from_json(self, given: Any) -> Any:
        """A value from JSON. Raises ValueError with what it must be."""
        if not self.per_image:
            return self._from_json(given)
        if not isinstance(given, list):
            raise ValueError("a list")
        return tuple(None if one is None else self._from_json(one) for one in given)

    def to_json(self, value: Any) -> Any:
        """What `from_json` makes the value of."""
        if isinstance(value, tuple):
            return [self._to_json(one) for one in value]
        return self._to_json(value)

    def check(self, value: Any) -> None:
        """Raises ValueError with what a value must be, as ``"from -6 to 6"``."""
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                self._check(one)

    def in_words(self, value: Any) -> str:
        """One value as the panel says it."""
        return str(value)

    def _from_text(self, given: str) -> Any:
        return self._from_json(given)

    def _from_json(self, given: Any) -> Any:
        raise NotImplementedError

    def _to_json(self, value: Any) -> Any:
        return value

    def _check(self, value: Any) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class Text(Option):
    def _from_json(self, given: Any) -> str:
        if not is_text(given):
            raise ValueError("a text")
        return given


@dataclass(frozen=True, kw_only=True)
class Level(Text):
    """One vertebra that is known, as ``"L3@17.0,-40.9,-460.2"``: in the panel the one that was named in a result of the
    same image."""


@dataclass(frozen=True, kw_only=True)
class File(Option):
    """A path; folder: of a folder. endings: of files to choose from, such as ``".json"``; none for any."""

    folder: bool = False
    endings: tuple[str, ...] = ()

    def _from_json(self, given: Any) -> Path:
        if not is_text(given):
            raise ValueError("a path")
        return Path(given)

    def _to_json(self, value: Any) -> Any:
        return None if value is None else str(value)

    def in_words(self, value: Any) -> str:
        return Path(value).name


@dataclass(frozen=True, kw_only=True)
class Choice(Option):
    """choices: each value, and how the panel calls it."""

    choices: Mapping[str, str]

    def _from_json(self, given: Any) -> str:
        if not is_text(given):
            raise ValueError("a text")
        return given

    def _check(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"one of {', '.join(self.choices)}")

    def in_words(self, value: Any) -> str:
        return self.choices.get(value, str(value))

    @property
    def value_shown(self) -> str:
        return self.placeholder or "|".join(self.choices)

    @property
    def help_shown(self) -> str:
        if all(choice in self.help for choice in self.choices):
            return self.help
        return f"{self.help}: {', '.join(self.choices)}"


@dataclass(frozen=True, kw_only=True)
class Number(Option):
    """least, most: both allowed. whole: without a fraction. unit: as ``"mm"``."""

    least: float = -math.inf
    most: float = math.inf
    whole: bool = False
    unit: str = ""

    def _from_text(self, given: str) -> float:
        try:
            return int(given) if self.whole else float(given)
        except ValueError:
            raise ValueError(self._kind) from None

    def _from_json(self, given: Any) -> float:
        if isinstance(given, bool) or not isinstance(given, int if self.whole else (int, float)):
            raise ValueError(self._kind)
        return int(given) if self.whole else float(given)

    def _check(self, value: Any) -> None:
        if not (math.isfinite(value) and self.least <= value <= self.most):
            raise ValueError(f"{self._kind} {self.range_shown}".rstrip())

    @property
    def range_shown(self) -> str:
        """As ``"from -6 to 6 levels"``; empty where any number is allowed."""
        unit = f" {self.unit}" if self.unit else ""
        bounds = (
            f"from {self.least:g}" if math.isfinite(self.least) else "",
            f"to {self.most:g}" if math.isfinite(self.most) else "",
        )
        found = " ".join(bound for bound in bounds if bound)
        return found + unit if found else ""

    @property
    def value_shown(self) -> str:
        return self.placeholder or (self.unit.upper() if self.unit else "N")

    @property
    def help_shown(self) -> str:
        return f"{self.help}, {self.range_shown}" if self.range_shown else self.help

    def in_words(self, value: Any) -> str:
        words = f"{value:+g}" if self.least < 0 else f"{value:g}"
        return f"{words} {self.unit}" if self.unit else words

    @property
    def _kind(self) -> str:
        return "a whole number" if self.whole else "a number"


@dataclass(frozen=True, kw_only=True)
class Flag(Option):
    default: Any = False

    @property
    def takes_value(self) -> bool:
        return False

    def _from_json(self, given: Any) -> bool:
        if not isinstance(given, bool):
            raise ValueError("true or false")
        return given

    def in_words(self, value: Any) -> str:
        return "yes" if value else "no"


@dataclass(frozen=True, kw_only=True)
class Texts(Option):
    """Several texts, on the command line with commas between them."""

    def _from_text(self, given: str) -> tuple[str, ...]:
        return tuple(one.strip() for one in given.split(",") if one.strip())

    def from_json(self, given: Any) -> tuple[str, ...]:
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise ValueError("a list of texts")
        return tuple(given)


@dataclass(frozen=True, kw_only=True)
class Landmarks(File):
    """Points picked in the images, one markups file of 3D Slicer for each, or one picked in the patient.

    They come to ``reconstruct`` as pixels: per image a mapping of their names to (column, row), the first pixel's
    centre being (0, 0). names: ``"module:function"`` that gives the names to pick by, called with a mapping of the
    engine's other options to their values; without it any name is allowed.
    """

    per_image: bool = True
    one_for_all: bool = True
    in_batch: bool = False
    beside: str = ".mrk.json"
    read: str = "mri2mesh.engines.reading:landmarks"
    endings: tuple[str, ...] = (".mrk.json", ".json")
    names: str = ""


@dataclass(frozen=True, kw_only=True)
class EarlierResult(File):
    """The folder of an earlier result of the same images and the same `same` options, to go on from.

    It comes to ``reconstruct`` as ``fit`` of that result's report.
    """

    folder: bool = True
    in_batch: bool = False
    read: str = "mri2mesh.engines.reading:earlier_fit"
    same: tuple[str, ...] = ()


WEIGHTS = File(
    "weights_dir",
    flag="weights",
    help="folder of weights to use instead of the shipped",
    placeholder="DIR",
    folder=True,
)
"""Of every engine whose networks can be trained anew."""
