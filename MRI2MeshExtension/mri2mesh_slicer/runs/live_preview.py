"""The surface while it is being fitted: a display aid that is not saved, not undone, and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import slicer
import vtk

from mri2mesh.anatomy.doubtful_levels import in_words
from mri2mesh.errors import InputError
from mri2mesh_slicer.inputs import is_radiograph
from mri2mesh_slicer.jobs.background import Background
from mri2mesh_slicer.jobs.turns import Turns
from mri2mesh_slicer.mrml_nodes import remove_node, temporary_node
from mri2mesh_slicer.radiographs.live_films import LiveFilms, LiveView, views_of

COLOUR = (1.0, 0.82, 0.2)
"""Colour that no structure has, so that nobody takes the preview for a result."""
OPACITY = 0.7
LIVE = "MRI2Mesh.Live"
"""Node attribute of what is shown for the moment."""


class LivePreview:
    """A model per structure, and outlines over the radiographs, until `remove`, which everything that ends a run calls.

    nodes: the inputs; the surfaces share the first one's parent transform, as the results will. placed: as in
    `LiveFilms`.
    """

    def __init__(self, nodes: Sequence[Any], placed: Callable[[], Sequence[Any]]) -> None:
        self._first = nodes[0]
        self._films = LiveFilms(nodes, placed)
        self._background = Background()
        self._models: dict[str, Any] = {}
        self._turns = Turns()
        self._is_busy = False

    def show(self, event: Mapping[str, Any]) -> None:
        """The surfaces of a surface event, read in a thread; nothing while earlier ones are still read or drawn."""
        if self._is_busy:
            return
        self._is_busy = True
        self._background.run(
            lambda: (_read(event["files"]), views_of(event)), self._draw, lambda _error: self._draw(({}, []))
        )

    def give_way(self) -> None:
        """The views are as before, for another who places the radiographs now; the next surface is drawn over them."""
        self._films.give_way()

    def remove(self) -> None:
        """All of it is gone, and what is still being read is not shown any more. For good."""
        self._background.close()
        self._turns.stop()
        self._films.remove()
        for node in self._models.values():
            if (scene := node.GetScene()) is not None:
                remove_node(scene, node)
        self._models = {}

    def _draw(self, read: tuple[Mapping[str, vtk.vtkPolyData], Sequence[LiveView]]) -> None:
        surfaces, views = read
        if surfaces:
            self._films.correct(views)
        self._turns.run(self._steps(surfaces))

    def _steps(self, surfaces: Mapping[str, vtk.vtkPolyData]) -> Iterator[None]:
        """A surface with its outlines, and the next."""
        for number, (name, surface) in enumerate(surfaces.items(), 1):
            node = self._models.get(name)
            if node is None or node.GetScene() is None:
                node = self._models[name] = self._add_model(name)
            node.SetAndObserveTransformNodeID(self._first.GetTransformNodeID())
            node.SetAndObservePolyData(surface)
            if number == len(surfaces):
                self._films.draw(list(self._models.values()))
            yield
        self._is_busy = False

    def _add_model(self, name: str) -> Any:
        node = _temporary("vtkMRMLModelNode", name)
        node.SetHideFromEditors(True)
        display = _temporary("vtkMRMLModelDisplayNode", name)
        display.SetColor(COLOUR)
        display.SetOpacity(OPACITY)
        display.SetVisibility2D(not is_radiograph(self._first))
        node.SetAndObserveDisplayNodeID(slicer.mrmlScene.AddNode(display).GetID())
        return slicer.mrmlScene.AddNode(node)


def _temporary(class_name: str, name: str) -> Any:
    node = temporary_node(slicer.mrmlScene, class_name, f"{in_words(name)} (being fitted)")
    node.SetAttribute(LIVE, "1")
    return node


def _read(files: Mapping[str, str]) -> dict[str, vtk.vtkPolyData]:
    """In a thread. None of them where one has gone: newer ones come."""
    from mri2mesh.export.surfaces import read_surface
    from mri2mesh_slicer.runs.results import with_normals

    try:
        return {name: with_normals(read_surface(file)) for name, file in files.items()}
    except (InputError, ValueError, OSError):
        return {}
