"""2 Method: chosen by the image, changeable, with one sentence and only the inputs that it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.registry import engines
from mri2mesh_slicer.panel.messages import say
from mri2mesh_slicer.panel.method_inputs import MethodInputs, make_inputs
from mri2mesh_slicer.panel.weights_line import weights_line, weights_list
from mri2mesh_slicer.parameters import Parameters
from mri2mesh_slicer.recognition import kind_of_node


class MethodSection:
    """``engine`` and ``inputs``: what is shown now; None while no image is chosen."""

    def __init__(
        self, ui: Any, parameters: Callable[[], Parameters], changed: Callable[[], None], services: Any
    ) -> None:
        self._ui, self._parameters, self._changed, self._services = ui, parameters, changed, services
        self._sections: dict[str, MethodInputs] = {}
        self._listed: list[str] | None = None
        self.engine: Engine | None = None
        self._described: Engine | None = None
        self._describe()
        ui.methodSelector.activated.connect(self._choose)

    @property
    def inputs(self) -> MethodInputs | None:
        return self._sections[self.engine.name] if self.engine else None

    def refresh(self) -> None:
        kind = kind_of_node(self._parameters().image)
        fitting = [engine for engine in engines().values() if engine.takes.name == kind]
        wanted = self._parameters().method
        chosen = [engine for engine in fitting if engine.name == wanted] or fitting
        self.engine = chosen[0] if chosen else None
        if [engine.name for engine in fitting] != self._listed:
            self._listed = [engine.name for engine in fitting]
            self._ui.methodSelector.clear()
            for engine in fitting:
                self._ui.methodSelector.addItem(_(engine.title), engine.name)
        self._ui.methodSelector.setEnabled(len(fitting) > 0)
        if self.engine:
            self._ui.methodSelector.setCurrentIndex(self._ui.methodSelector.findData(self.engine.name))
        if self.engine is not self._described:
            self._describe()
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

    def _describe(self) -> None:
        """Once for each method that is chosen: it reads the manifest of the weights, and the panel refreshes often."""
        self._described = self.engine
        say(self._ui.methodSentence, _about(self.engine) if self.engine else _("Chosen by the image."))
        self._ui.methodSentence.setToolTip(weights_list(self.engine) if self.engine else "")

    def _show_inputs(self) -> None:
        if self.engine and self.engine.name not in self._sections:
            inputs = make_inputs(self.engine, self._parameters, self._changed, self._services)
            self._ui.methodInputs.layout().addWidget(inputs.widget)
            self._sections[self.engine.name] = inputs
        for name, inputs in self._sections.items():
            shown = self.engine is not None and name == self.engine.name
            inputs.widget.setVisible(shown)
            if shown:
                inputs.refresh()


def _about(engine: Engine) -> str:
    return " ".join(filter(None, (_what_it_does(engine), weights_line(engine))))


def _what_it_does(engine: Engine) -> str:
    sentence = _(engine.sentence)
    if engine.minutes_hint is None:
        return sentence
    seconds = 60 * engine.minutes_hint
    if seconds < 90:
        return _("{sentence} About {seconds:.0f} seconds.").format(sentence=sentence, seconds=seconds)
    return _("{sentence} About {minutes:.0f} minutes.").format(sentence=sentence, minutes=seconds / 60)
