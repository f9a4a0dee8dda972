"""2 Method: chosen by the image, changeable, with one sentence and only the inputs that it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from mri2mesh_slicer.methods import Method, method_of, methods
from mri2mesh_slicer.panel.messages import say
from mri2mesh_slicer.panel.method_inputs import MethodInputs
from mri2mesh_slicer.parameters import Parameters
from mri2mesh_slicer.recognition import Kind, kind_of_node


class MethodSection:
    """``method`` and ``inputs``: what is shown now; None while no image is chosen."""

    def __init__(
        self, ui: Any, parameters: Callable[[], Parameters], changed: Callable[[], None], services: Any
    ) -> None:
        self._ui, self._parameters, self._changed, self._services = ui, parameters, changed, services
        self._sections: dict[str, MethodInputs] = {}
        self._listed: Kind | None = None
        self.method: Method | None = None
        ui.methodSelector.activated.connect(self._choose)

    @property
    def inputs(self) -> MethodInputs | None:
        return self._sections[self.method.engine] if self.method else None

    def refresh(self) -> None:
        kind = kind_of_node(self._parameters().image)
        fitting = [method for method in methods() if method.takes == kind]
        wanted = self._parameters().method
        chosen = [method for method in fitting if method.engine == wanted] or fitting
        self.method = chosen[0] if chosen else None
        if kind != self._listed:
            self._listed = kind
            self._ui.methodSelector.clear()
            for method in fitting:
                self._ui.methodSelector.addItem(method.title, method.engine)
        self._ui.methodSelector.setEnabled(len(fitting) > 0)
        if self.method:
            self._ui.methodSelector.setCurrentIndex(self._ui.methodSelector.findData(self.method.engine))
        say(self._ui.methodSentence, self.method.sentence if self.method else _("Chosen by the image."))
        self._show_inputs()

    def leave(self) -> None:
        for section in self._sections.values():
            section.leave()

    def close(self) -> None:
        for section in self._sections.values():
            section.close()

    def _choose(self, *_index: Any) -> None:
        self._parameters().method = str(self._ui.methodSelector.currentData)
        self._changed()

    def _show_inputs(self) -> None:
        if self.method and self.method.engine not in self._sections:
            section = method_of(self.method.engine).make_section(
                self._parameters, self._changed, self._services
            )
            self._ui.methodInputs.layout().addWidget(section.widget)
            self._sections[self.method.engine] = section
        for engine, section in self._sections.items():
            shown = self.method is not None and engine == self.method.engine
            section.widget.setVisible(shown)
            if shown:
                section.refresh()
