"""1 Input: which image, and what was recognised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from mri2mesh_slicer.jobs.leaving import Leaving
from mri2mesh_slicer.panel.messages import say
from mri2mesh_slicer.parameters import Parameters
from mri2mesh_slicer.recognition import sentence_of


class InputSection:
    """chosen: called when the user chose another image, after the parameters know it."""

    def __init__(self, ui: Any, parameters: Callable[[], Parameters], chosen: Callable[[], None]) -> None:
        self._ui, self._parameters, self._chosen = ui, parameters, chosen
        self._is_leaving = Leaving()
        ui.inputSelector.setMRMLScene(slicer.mrmlScene)
        ui.inputSelector.currentNodeIDChanged.connect(self._choose)

    def refresh(self) -> None:
        node = self._parameters().image
        if self._ui.inputSelector.currentNode() is not node:
            self._ui.inputSelector.blockSignals(True)
            self._ui.inputSelector.setCurrentNode(node)
            self._ui.inputSelector.blockSignals(False)
        say(self._ui.recognisedLabel, sentence_of(node))

    def _choose(self, *_node: Any) -> None:
        gone = self._is_leaving(self._parameters().image)
        self._parameters().image = None if gone else self._ui.inputSelector.currentNode()
        self._chosen()
