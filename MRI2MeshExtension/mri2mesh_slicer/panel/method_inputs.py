"""The inputs of a method: those of its kind of input, and a row or a section for each option that it declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from mri2mesh.engines.declaration import Engine, load
from mri2mesh_slicer.jobs.running import Prepare
from mri2mesh_slicer.panel.options.section import Around, OptionSection, make_section
from mri2mesh_slicer.parameters import Parameters

KINDS = {
    "volume": "mri2mesh_slicer.panel.volume_inputs:VolumeInputs",
    "radiographs": "mri2mesh_slicer.panel.radiograph_inputs:RadiographInputs",
    "labels": "mri2mesh_slicer.panel.label_inputs:LabelInputs",
}
"""Name of a kind of input to the section that asks for its images, as ``"module:class"``."""

WriteImages = Callable[[Path], tuple[Sequence[Path], dict[str, Any]]]
"""Given an empty folder, writes the images there, in a thread; their files, and the options of their kind in JSON."""


class MethodInputs:
    """Base of the sections, one for each kind of input; ``self.widget`` goes below the method's sentence.

    engine: the method. parameters: returns the scene's parameters, which change when a scene is closed or loaded.
    changed: to be called when what the user did here may change whether Run is possible. services:
    `mri2mesh_slicer.panel.panel.Services`. ``sections``: by the options' names.
    """

    def __init__(
        self,
        engine: Engine,
        parameters: Callable[[], Parameters],
        changed: Callable[[], None],
        services: Any,
    ) -> None:
        self.engine = engine
        self.parameters = parameters
        self.changed = changed
        self.services = services
        around = Around(engine, parameters, lambda: self.nodes(), lambda: self.selected(), changed)
        self.sections: dict[str, OptionSection] = {
            option.name: make_section(option, around) for option in engine.all_options if option.label
        }
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self._add_rows(layout, [one for one in self._all if one.is_row and not one.option.per_image])
        self.build(layout)
        for section in self._all:
            if not section.is_row and not section.option.per_image:
                layout.addWidget(section.widget)

    def build(self, layout: Any) -> None:
        """Adds the widgets of this kind of input, below the rows of the whole run."""
        self.add_sections_of_images(layout)

    def nodes(self) -> list[Any]:
        """The inputs, the chosen image first."""
        return [self.parameters().image]

    def selected(self) -> Any:
        """The image whose own options are shown, or None."""
        return self.nodes()[0]

    def take_images(self) -> WriteImages:
        """Takes the images from their nodes, quickly."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Shows the parameters; called whenever they or the scene changed."""
        self.refresh_sections()

    def problem(self) -> str:
        """Why Run is not possible yet, as something to do; empty when it is."""
        return next((problem for one in self._all if (problem := one.problem())), "")

    def leave(self) -> None:
        """The panel is not looked at any more: what the worker was asked besides runs is not answered."""

    def close(self) -> None:
        """The panel is being taken down."""
        for section in self._all:
            section.close()

    def prepare(self) -> Prepare:
        """Takes what is needed from the nodes, quickly; what it returns writes it to files, in a thread."""
        write_images = self.take_images()
        taken = {name: section.take() for name, section in self.sections.items()}
        useless = self._excluded()

        def write(folder: Path) -> dict[str, Any]:
            images, options = write_images(folder)
            given = {name: write_option(folder, images) for name, write_option in taken.items()}
            options |= {
                name: value for name, value in given.items() if value is not None and name not in useless
            }
            return {"inputs": [str(image) for image in images], "options": options}

        return write

    def add_sections_of_images(self, layout: Any) -> None:
        """Sections of options that belong to single images, and a box with the rows of those for the selected one."""
        for section in self._of_images:
            if not section.is_row:
                layout.addWidget(section.widget)
        self.image_box = qt.QGroupBox()
        inside = qt.QVBoxLayout(self.image_box)
        inside.setContentsMargins(0, 0, 0, 0)
        rows = [one for one in self._of_images if one.is_row]
        self._add_rows(inside, rows)
        self.image_box.setVisible(bool(rows))
        layout.addWidget(self.image_box)

    def refresh_sections_of_images(self) -> None:
        node = self.selected()
        if node is not None:
            self.image_box.setTitle(_("For {name}").format(name=node.GetName()))
        for section in self._of_images:
            section.refresh()

    def refresh_sections(self) -> None:
        for section in self._all:
            if not section.option.per_image:
                section.refresh()
                section.widget.setEnabled(section.option.name not in self._excluded())
        self.refresh_sections_of_images()

    def _excluded(self) -> set[str]:
        """Names of options that others, which were given, make useless."""
        return {
            name
            for section in self._all
            if section.option.excludes and section.is_given()
            for name in section.option.excludes
        }

    @property
    def _all(self) -> list[OptionSection]:
        return list(self.sections.values())

    @property
    def _of_images(self) -> list[OptionSection]:
        return [section for section in self._all if section.option.per_image]

    def _add_rows(self, layout: Any, rows: Sequence[OptionSection]) -> None:
        if not rows:
            return
        form = qt.QFormLayout()
        for row in rows:
            form.addRow(_("{label}:").format(label=_(row.option.label)), row.widget)
        layout.addLayout(form)


def make_inputs(engine: Engine, *arguments: Any) -> MethodInputs:
    """The section of an engine; a kind of input without one of its own is asked for as a volume is, or as radiographs
    are where there may be several."""
    place = KINDS.get(engine.takes.name, KINDS["radiographs" if engine.takes.several else "volume"])
    inputs: MethodInputs = load(place)(engine, *arguments)
    return inputs
