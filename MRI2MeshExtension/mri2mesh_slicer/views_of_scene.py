"""The views that a scene has: slice views and the camera of the first 3D view."""

from __future__ import annotations

from typing import Any

import slicer

FIRST = ("Red", "Yellow", "Green")
"""Layout names of Slicer's usual slice views, in the order in which radiographs are shown."""


def slice_nodes(scene: Any) -> list[Any]:
    """Slice views, the usual ones first."""
    count = scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
    found = [scene.GetNthNodeByClass(number, "vtkMRMLSliceNode") for number in range(count)]
    names = {node.GetLayoutName(): node for node in found}
    first = [names.pop(name) for name in FIRST if name in names]
    return first + list(names.values())


def camera_of_3d_view(scene: Any) -> tuple[Any, float]:
    """The camera node of the first 3D view, or None, and the width over the height of its window."""
    aspect = 1.0
    manager = slicer.app.layoutManager()
    if manager is not None and manager.threeDViewCount:
        view = manager.threeDWidget(0).threeDView()
        if view.width and view.height:
            aspect = view.width / view.height
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLCameraNode")):
        camera = scene.GetNthNodeByClass(number, "vtkMRMLCameraNode")
        if camera.GetLayoutName():
            return camera, aspect
    return None, aspect
