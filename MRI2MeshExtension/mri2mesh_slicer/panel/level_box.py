"""One vertebra named by the user: choose its level, press the button, click on its body; all others follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.mrml_nodes import remove_node
from mri2mesh_slicer.observers import Observers
from mri2mesh_slicer.panel.messages import BAD, say, sentences
from mri2mesh_slicer.radiographs.placing import place_next, show_in_a_slice_view
from mri2mesh_slicer.runs.level_naming import NAMES, name_level


class LevelBox:
    """shown_run: the run that is shown, or None. named: called when the user named a
    level, and the run was renamed if that could be."""

    def __init__(self, ui: Any, shown_run: Callable[[], Any], named: Callable[[], None]) -> None:
        self._ui, self._shown_run, self._named = ui, shown_run, named
        self._point: Any = None
        self._observers = Observers()
        for name in NAMES:
            ui.levelSelector.addItem(name)
        ui.levelSelector.setCurrentText("L5")
        ui.levelClickButton.clicked.connect(self._place)
        say(ui.levelMessage, "")

    def close(self) -> None:
        """A point that waits to be placed goes."""
        self._observers.clear()
        if self._point is not None and self._point.GetScene() is not None:
            remove_node(self._point.GetScene(), self._point)
        self._point = None

    def _place(self, *_checked: Any) -> None:
        self.close()
        inputs = self._shown_run().inputs
        if inputs:
            show_in_a_slice_view(inputs[0])
        self._point = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", _("Named level"))
        self._point.SetSaveWithScene(False)
        self._point.CreateDefaultDisplayNodes()
        place_next(self._point, str(self._ui.levelSelector.currentText))
        self._observers.add(self._point, self._point.PointPositionDefinedEvent, self._placed)
        level = str(self._ui.levelSelector.currentText)
        say(self._ui.levelMessage, _("Click on the body of {level}.").format(level=level))

    def _placed(self, *_event: Any) -> None:
        # In a turn of its own: the click must have ended before its node is taken away.
        qt.QTimer.singleShot(0, self._name)

    def _name(self) -> None:
        point, run = self._point, self._shown_run()
        if point is None or run is None:
            self.close()
            return
        position = [0.0, 0.0, 0.0]
        point.GetNthControlPointPositionWorld(0, position)
        level = str(point.GetNthControlPointLabel(0))
        self.close()
        try:
            name_level(run, position, level)
        except InputError as error:
            say(self._ui.levelMessage, sentences(str(error)), BAD)
        else:
            say(self._ui.levelMessage, "")
        self._named()
