"""Whether a node is leaving the scene just now: Slicer's lists of nodes then choose a neighbour that nobody chose."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from mri2mesh_slicer.observers import Observers


class Leaving:
    """Make it before the lists that it is asked about: whoever observes the scene first hears of it first."""

    def __init__(self) -> None:
        self._node: Any = None
        self._observers = Observers()
        scene = slicer.mrmlScene
        self._observers.add(scene, scene.NodeAboutToBeRemovedEvent, self._begins)
        self._observers.add(scene, scene.NodeRemovedEvent, self._ends)

    def __call__(self, node: Any) -> bool:
        """Whether it is this one."""
        return node is not None and node is self._node

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _begins(self, _scene: Any, _event: str, node: Any) -> None:
        self._node = node

    def _ends(self, *_event: Any) -> None:
        self._node = None
