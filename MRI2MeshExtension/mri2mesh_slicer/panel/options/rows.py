"""A row for an option of a plain type: its label, and a widget to choose its value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh_slicer.option_values import value_of
from mri2mesh_slicer.panel.messages import sentences
from mri2mesh_slicer.panel.options.editors import make_editor
from mri2mesh_slicer.panel.options.section import OptionSection, Write


class OptionRow(OptionSection):
    """Of an option of single images it shows the value of the selected one."""

    is_row = True

    def build(self) -> None:
        self._editor = make_editor(self.option, self.keep)
        self.widget = self._editor.widget
        self.widget.setToolTip(_(sentences(self.option.help)))

    @property
    def editor(self) -> Any:
        """The Qt widget."""
        return self.widget

    def refresh(self) -> None:
        self._editor.show(self.value)

    def problem(self) -> str:
        if self.option.required and not any(one is not None for one in self._values()):
            return _("Choose first: {what}.").format(what=_(self.option.label))
        return ""

    def take(self) -> Write:
        option, values = self.option, self._values()
        given = option.required or any(option.is_given(one) for one in values)

        def write(folder: Path, images: Any) -> Any:
            if not given:
                return None
            return option.to_json(tuple(values)) if option.per_image else option.to_json(values[0])

        return write

    def _values(self) -> list[Any]:
        around = self.around
        images = around.nodes() if self.option.per_image else [None]
        return [value_of(around.parameters(), around.engine, self.option, image) for image in images]
