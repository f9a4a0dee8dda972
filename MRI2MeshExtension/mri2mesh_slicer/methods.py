"""The methods that the panel offers. A new engine is one entry here and a small section in `mri2mesh_slicer.panel`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from slicer.i18n import tr as _

from mri2mesh.engines.registry import get_entry


@dataclass(frozen=True)
class Method:
    """engine: its name in `mri2mesh.engines.registry`. name: what the user calls it, and its runs. task: what it makes
    of what. takes: as in the registry. section: ``"module:class"`` of the widgets that ask for what only this method
    needs, a `mri2mesh_slicer.panel.method_inputs.MethodInputs`. levels: whether its structures are levels of the spine,
    which may be counted wrongly. of_folder: names of the `Parameters` that go with every case of a folder."""

    engine: str
    name: str
    task: str
    sentence: str
    takes: Literal["volume", "radiographs"]
    section: str
    levels: bool = False
    of_folder: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """As ``"X-ray fit: one bone from radiographs"``."""
        return _("{method}: {task}").format(method=self.name, task=self.task)

    @property
    def shows(self) -> bool:
        """Whether its surfaces can be looked at while they are found; the registry knows."""
        return get_entry(self.engine).shows

    def make_section(self, *arguments: Any) -> Any:
        """The section's widgets, imported only now."""
        module, name = self.section.split(":")
        return getattr(import_module(module), name)(*arguments)


def methods() -> tuple[Method, ...]:
    """In the order of the list; the first that takes an image's kind is its default."""
    return (
        Method(
            engine="mri2mesh",
            name=_("MRI2Mesh"),
            task=_("lumbar spine from one MRI"),
            sentence=_(
                "Finds the vertebrae and discs and deforms template surfaces onto them; half a minute."
            ),
            takes="volume",
            section="mri2mesh_slicer.panel.spine_inputs:SpineInputs",
            levels=True,
            of_folder=("level_shift",),
        ),
        Method(
            engine="xray-fit",
            name=_("X-ray fit"),
            task=_("one bone from radiographs"),
            sentence=_(
                "Places and bends a statistical shape model until its shadow explains every radiograph; two views, "
                "30 degrees or more apart, show the depth that one cannot."
            ),
            takes="radiographs",
            section="mri2mesh_slicer.panel.radiograph_inputs:RadiographInputs",
            of_folder=("anatomy",),
        ),
    )


def method_of(engine: str) -> Method:
    """Raises KeyError for an engine without entry."""
    return {method.engine: method for method in methods()}[engine]
