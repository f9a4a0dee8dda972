"""What a section for one option must offer, and which section a type of option has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri2mesh.engines.declaration import Engine, load
from mri2mesh.engines.options import EarlierResult, Landmarks, Level, Option
from mri2mesh_slicer.option_values import keep_value, value_of
from mri2mesh_slicer.parameters import Parameters

Write = Callable[[Path, Sequence[Path]], Any]
"""Given the folder and the files of the images, writes what the worker is to read there, in a thread, and returns the
option's value in JSON, or None where it was not given."""

SECTIONS: dict[type[Option], str] = {
    Landmarks: "mri2mesh_slicer.panel.options.landmarks:LandmarksSection",
    Level: "mri2mesh_slicer.panel.options.level:LevelSection",
    EarlierResult: "mri2mesh_slicer.panel.options.earlier_result:EarlierResultSection",
}
"""Types of options with widgets of their own, as ``"module:class"``; all others have a row, `panel.options.rows`."""
ROW = "mri2mesh_slicer.panel.options.rows:OptionRow"


@dataclass(frozen=True)
class Around:
    """What a section may ask for. nodes: the images. selected: the one whose values are shown, or None. changed: to be
    called when something was chosen."""

    engine: Engine
    parameters: Callable[[], Parameters]
    nodes: Callable[[], Sequence[Any]]
    selected: Callable[[], Any]
    changed: Callable[[], None]

    def values(self) -> dict[str, Any]:
        """Of the engine's options that are not of single images, by name."""
        return {
            option.name: value_of(self.parameters(), self.engine, option)
            for option in self.engine.all_options
            if not option.per_image
        }


class OptionSection:
    """Base of the sections. widget: to be put into the panel. is_row: with the option's label before it."""

    widget: Any
    is_row = False

    def __init__(self, option: Option, around: Around) -> None:
        self.option, self.around = option, around
        self.build()

    @property
    def value(self) -> Any:
        """As chosen; of one per image, that of the selected one."""
        return value_of(self.around.parameters(), self.around.engine, self.option, self._image())

    def keep(self, value: Any) -> None:
        """It was chosen."""
        keep_value(self.around.parameters(), self.around.engine, self.option, value, self._image())
        self.around.changed()

    def build(self) -> None:
        """Makes ``self.widget``."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Shows what was chosen."""

    def is_given(self) -> bool:
        """Whether a run would be given a value."""
        return self.option.is_given(self.value)

    def problem(self) -> str:
        """Why a run is not possible yet, as something to do; empty when it is."""
        return ""

    def take(self) -> Write:
        """Takes what is needed from the scene, quickly."""
        raise NotImplementedError

    def close(self) -> None:
        """The panel is being taken down."""

    def _image(self) -> Any:
        return self.around.selected() if self.option.per_image else None


def make_section(option: Option, around: Around) -> OptionSection:
    """The section for an option: its type's own, that of a type that it is derived from, or a row."""
    place = next((SECTIONS[kind] for kind in type(option).__mro__ if kind in SECTIONS), ROW)
    section: OptionSection = load(place)(option, around)
    return section
