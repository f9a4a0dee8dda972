"""Stand-ins for the qMRML widgets that the panel uses, on real MRML."""

from __future__ import annotations

from typing import Any

import slicer_core
from PySide6.QtCore import Property, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QWidget
from shiboken6 import isValid

SCENE_EVENTS = ("NodeAddedEvent", "NodeAboutToBeRemovedEvent", "EndCloseEvent", "EndImportEvent")


class qMRMLWidget(QWidget):
    """A widget that keeps a scene. Not covered: the signal mrmlSceneChanged, which the panel does not use."""

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def mrmlScene(self) -> Any:
        return getattr(self, "_scene", None)


class qMRMLNodeComboBox(QComboBox):
    """Chooses a node of given classes. Not covered: adding, renaming and removing nodes from its menu, attribute
    filters, hidden nodes by attribute; in Slicer it is a widget holding a combo box, not one itself."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._types: list[str] = []
        self._none = False
        self._none_words = "None"
        self._add = self._remove = self._rename = False
        self._observed: list[tuple[Any, int]] = []
        self._shown: str | None = None
        self._is_to_fill = False
        self.currentIndexChanged.connect(self._tell)

    def setMRMLScene(self, scene: Any) -> None:
        self._forget()
        self._scene = scene
        for event in SCENE_EVENTS if scene is not None else ():
            number = getattr(slicer_core.vtkMRMLScene, event)
            self._observed.append((scene, scene.AddObserver(number, self._scene_changed)))
        self._fill()

    def mrmlScene(self) -> Any:
        return self._scene

    def currentNode(self) -> Any:
        identity = self.currentData
        return self._scene.GetNodeByID(identity) if self._scene is not None and identity else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, identity: str | None) -> None:
        self._fill()
        self.setCurrentIndex(max(self.findData(identity or None), 0) if identity else self._index_of_none())

    def _index_of_none(self) -> int:
        return 0 if self._none else -1

    def _get_id(self) -> str:
        return self.currentData or ""

    def _scene_changed(self, *_: Any) -> None:
        if not isValid(self):  # Qt took it down with its parent
            self._forget()
            return
        # After the event: a node that is about to be removed is still there during it. Once for many events.
        if not self._is_to_fill:
            self._is_to_fill = True
            QTimer.singleShot(0, self, self._fill)

    def _fill(self) -> None:
        self._is_to_fill = False
        if self._scene is None:
            return
        before = self.currentData
        nodes = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        nodes = [n for n in nodes if not n.GetHideFromEditors() and any(n.IsA(kind) for kind in self._types)]
        self.blockSignals(True)
        self.clear()
        if self._none:
            self.addItem(self._none_words, None)
        for node in nodes:
            self.addItem(node.GetName(), node.GetID())
        found = self.findData(before) if before else -1
        self.setCurrentIndex(found if found >= 0 else (0 if self._none or nodes else -1))
        self.blockSignals(False)
        self._tell()

    def _tell(self, *_: Any) -> None:
        if self.currentData != self._shown:
            self._shown = self.currentData
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(self._shown or "")

    def _forget(self, *_: Any) -> None:
        for scene, tag in self._observed:
            scene.RemoveObserver(tag)
        self._observed = []

    def _get_types(self) -> list[str]:
        return self._types

    def setNodeTypes(self, types: list[str]) -> None:
        self._types = list(types)
        self._fill()

    def _get_none(self) -> bool:
        return self._none

    def setNoneEnabled(self, enabled: bool) -> None:
        self._none = enabled
        self._fill()

    def setNoneDisplay(self, words: str) -> None:
        self._none_words = words
        self._fill()

    def _flag(name: str) -> Any:  # type: ignore[misc]  # noqa: N805 - a property maker
        return Property(bool, lambda self: getattr(self, name), lambda self, on: setattr(self, name, on))

    currentNodeID = Property(str, _get_id, setCurrentNodeID)
    nodeTypes = Property(list, _get_types, setNodeTypes)
    noneEnabled = Property(bool, _get_none, setNoneEnabled)
    noneDisplay = Property(str, lambda self: self._none_words, setNoneDisplay)
    addEnabled = _flag("_add")
    removeEnabled = _flag("_remove")
    renameEnabled = _flag("_rename")


WIDGETS = (qMRMLWidget, qMRMLNodeComboBox)
