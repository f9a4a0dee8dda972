"""The views that a scene has: slice views and the camera of the first 3D view."""

from __future__ import annotations

from typing import Any

import slicer

from mri2mesh_slicer.mrml_nodes import nodes_of

FIRST = ("Red", "Yellow", "Green")
"""Layout names of Slicer's usual slice views, in the order in which radiographs are shown."""


def slice_nodes(scene: Any) -> list[Any]:
    """Slice views, the usual ones first."""
    names = {node.GetLayoutName(): node for node in nodes_of(scene, "vtkMRMLSliceNode")}
    first = [names.pop(name) for name in FIRST if name in names]
    return first + list(names.values())


def camera_of_3d_view(scene: Any) -> tuple[Any, float]:
    """The camera node of the layout's first 3D view, None without one, and the width over the height of its window.

    Without a main window that of any 3D view.
    """
    aspect, layout_name = 1.0, None
    manager = slicer.app.layoutManager()
    if manager is not None:
        if not manager.threeDViewCount:
            return None, aspect
        view = manager.threeDWidget(0).threeDView()
        layout_name = view.mrmlViewNode().GetLayoutName()
        if view.width and view.height:
            aspect = view.width / view.height
    for camera in nodes_of(scene, "vtkMRMLCameraNode"):
        if camera.GetLayoutName() and layout_name in (None, camera.GetLayoutName()):
            return camera, aspect
    return None, aspect
