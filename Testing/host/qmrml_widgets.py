"""Stand-ins for the qMRML widgets that the panel uses, on real MRML."""

from __future__ import annotations

from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget
from shiboken6 import isValid

SCENE_EVENTS = ("EndCloseEvent", "EndImportEvent")


class qMRMLWidget(QWidget):
    """A widget that keeps a scene. Not covered: the signal mrmlSceneChanged, which the panel does not use."""

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def mrmlScene(self) -> Any:
        return getattr(self, "_scene", None)


class qMRMLNodeComboBox(QWidget):
    """Chooses a node of given classes: a widget with a combo box in it, as Slicer's, which answers the scene's events
    at once, while a node that leaves is still there. Not covered: adding, renaming and removing nodes from its menu,
    attribute filters, hidden nodes by attribute."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QComboBox()
        layout.addWidget(self._box)
        self._scene: Any = None
        self._types: list[str] = []
        self._none = False
        self._none_words = "None"
        self._add = self._remove = self._rename = False
        self._observed: list[tuple[Any, int]] = []
        self._shown: str | None = None
        self._box.currentIndexChanged.connect(self._announce)

    def setMRMLScene(self, scene: Any) -> None:
        self._forget()
        self._scene = scene
        for event in SCENE_EVENTS if scene is not None else ():
            number = getattr(slicer_core.vtkMRMLScene, event)
            self._observed.append((scene, scene.AddObserver(number, self._scene_changed)))
        if scene is not None:
            comes, leaves = scene.NodeAddedEvent, scene.NodeAboutToBeRemovedEvent
            self._observed.append((scene, scene.AddObserver(comes, self._node_comes)))
            self._observed.append((scene, scene.AddObserver(leaves, self._node_leaves)))
        self._fill()

    def mrmlScene(self) -> Any:
        return self._scene

    def currentNode(self) -> Any:
        identity = self._box.currentData
        return self._scene.GetNodeByID(identity) if self._scene is not None and identity else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, identity: str | None) -> None:
        found = self._box.findData(identity) if identity else -1
        self._box.setCurrentIndex(found if found >= 0 else self._index_of_none())

    def _index_of_none(self) -> int:
        return 0 if self._none else -1

    def _get_id(self) -> str:
        return self._box.currentData or ""

    def _scene_changed(self, *_: Any) -> None:
        if isValid(self):
            self._fill()
        else:  # Qt took it down with its parent
            self._forget()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_comes(self, _scene: Any, _event: str, node: Any) -> None:
        if self._is_of_type(node):
            self._scene_changed()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_leaves(self, _scene: Any, _event: str, node: Any) -> None:
        if (
            isValid(self)
            and self._is_of_type(node)
            and self._scene is not None
            and not self._scene.IsClosing()
        ):
            self._fill(without=node)

    def _is_of_type(self, node: Any) -> bool:
        return any(node.IsA(kind) for kind in self._types)

    def _fill(self, without: Any = None) -> None:
        if self._scene is None:
            return
        before, place = self._box.currentData, self._box.currentIndex - self._none
        nodes = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        nodes = [n for n in nodes if not n.GetHideFromEditors() and self._is_of_type(n)]
        nodes = [n for n in nodes if n is not without]
        self._box.blockSignals(True)
        self._box.clear()
        if self._none:
            self._box.addItem(self._none_words, None)
        for node in nodes:
            self._box.addItem(node.GetName(), node.GetID())
        found = self._box.findData(before) if before else -1
        if (
            found < 0 and before and without is not None and nodes
        ):  # as Slicer's: a neighbour of the one that leaves
            found = min(place, len(nodes) - 1) + self._none
        self._box.setCurrentIndex(found if found >= 0 else (0 if self._none or nodes else -1))
        self._box.blockSignals(False)
        self._announce()

    def _announce(self, *_: Any) -> None:
        if self._box.currentData != self._shown:
            self._shown = self._box.currentData
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
