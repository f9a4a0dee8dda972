"""Slice and 3D views of slicer-core, rendered off-screen: Slicer's own displayable managers and slice logic, no window.

What Slicer's widgets add is missing: layouts, controllers, mouse and keyboard.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer_core as mrml
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

_IN_SLICES = ("vtkMRMLModelSliceDisplayableManager", "vtkMRMLSegmentationsDisplayableManager2D")
_IN_3D = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)
_IN_BOTH = ("vtkMRMLMarkupsDisplayableManager",)


def _add(application_logic: Any, collection: str, logic: Any) -> None:
    """Register with the application a view's logic, as Slicer's layout manager does."""
    if getattr(application_logic, f"Get{collection}")() is None:
        getattr(application_logic, f"Set{collection}")(vtk.vtkCollection())
    getattr(application_logic, f"Get{collection}")().AddItem(logic)


def _with_markups(application: Any) -> None:
    """Markups are drawn by widgets that ask their module's logic; the application's own reference is weak."""
    if application.logic.GetModuleLogic("Markups") is None:
        application.markups = mrml.vtkSlicerMarkupsLogic()
        application.markups.SetMRMLApplicationLogic(application.logic)
        application.markups.SetMRMLScene(application.scene)
        application.logic.SetModuleLogic("Markups", application.markups)


class _View:
    """A render window of a size (width, height) in pixels, and the displayable managers that fill it."""

    def __init__(self, factory: Any, names: tuple[str, ...], application: Any, size: tuple[int, int]) -> None:
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(8)
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        _with_markups(application)
        factory = factory.GetInstance()
        factory.SetMRMLApplicationLogic(application.logic)
        for name in (*names, *_IN_BOTH):
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.managers = mrml.vtkMRMLDisplayableManagerGroup()
        self.managers.SetRenderer(self.renderer)
        self.managers.Initialize(factory, self.renderer)

    def picture(self) -> NDArray[np.uint8]:
        """[rows, columns, 3], the first row on top."""
        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()


class SliceView(_View):
    """A slice view by the name of its layout, "Red" for instance; ``node`` and ``logic`` are MRML's."""

    def __init__(self, application: Any, name: str, size: tuple[int, int] = (400, 400)) -> None:
        super().__init__(mrml.vtkMRMLSliceViewDisplayableManagerFactory, _IN_SLICES, application, size)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.logic = mrml.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application.logic)
        _add(application.logic, "SliceLogics", self.logic)
        self.logic.SetMRMLScene(application.scene)
        node = application.scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        if node:
            self.logic.SetSliceNode(node)
        self.node = node or self.logic.AddSliceNode(name)
        self.managers.SetMRMLDisplayableNode(self.node)
        self.logic.ResizeSliceNode(*size)
        self.mapper = vtk.vtkImageMapper()
        self.mapper.SetColorWindow(255)
        self.mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self.mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self._image = actor

    def picture(self) -> NDArray[np.uint8]:
        connection = self.logic.GetImageDataConnection()
        self.renderer.RemoveViewProp(self._image)
        if connection:
            self.mapper.SetInputConnection(connection)
            self.renderer.AddViewProp(self._image)
        return super().picture()


class ThreeDView(_View):
    """A 3D view by the name of its layout, "1" for instance; without a box and letters. ``node``, ``logic``: MRML's."""

    def __init__(self, application: Any, name: str = "1", size: tuple[int, int] = (600, 600)) -> None:
        super().__init__(mrml.vtkMRMLThreeDViewDisplayableManagerFactory, _IN_3D, application, size)
        self.logic = mrml.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(application.logic)
        _add(application.logic, "ViewLogics", self.logic)
        self.logic.SetMRMLScene(application.scene)
        self.node = self.logic.AddViewNode(name)
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self.managers.SetMRMLDisplayableNode(self.node)

    @property
    def camera_node(self) -> Any:
        manager = self.managers.GetDisplayableManagerByClassName("vtkMRMLCameraDisplayableManager")
        return manager.GetCameraNode()
