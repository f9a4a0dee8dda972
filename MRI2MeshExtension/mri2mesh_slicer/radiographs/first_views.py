"""Slice and 3D views of a scene that is written before anybody has looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer

SLICES = (("Red", "Axial", "R"), ("Yellow", "Sagittal", "Y"), ("Green", "Coronal", "G"))


def add_views(scene: Any, image: Any, centre: Sequence[float], height: float) -> None:
    """Slice views through ``centre`` (RAS) showing the image, and a 3D camera in front of the patient.

    height: of what is to be seen, in millimetres.
    """
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    for name, orientation, label in SLICES:
        view = _new(scene, "vtkMRMLSliceNode")
        view.SetSingletonTag(name)
        view.SetName(name)
        view.SetLayoutName(name)
        view.SetLayoutLabel(label)
        view = scene.AddNode(view)
        view.SetOrientation(orientation)
        view.SetDimensions(400, 400, 1)
        view.SetFieldOfView(height, height, 1)
        view.JumpSliceByCentering(*centre)
        composite = _new(scene, "vtkMRMLSliceCompositeNode")
        composite.SetSingletonTag(name)
        composite.SetLayoutName(name)
        composite = scene.AddNode(composite)
        composite.SetBackgroundVolumeID(image.GetID())
    view = _new(scene, "vtkMRMLViewNode")
    view.SetSingletonTag("1")
    view.SetLayoutName("1")
    view.SetName("View1")
    scene.AddNode(view)
    camera = scene.AddNewNodeByClass("vtkMRMLCameraNode", "Camera")
    camera.SetLayoutName("1")
    camera.SetFocalPoint(*centre)
    camera.SetPosition(centre[0], centre[1] + 2.2 * height, centre[2])
    camera.SetViewUp(0, 0, 1)


def _new(scene: Any, class_name: str) -> Any:
    """A node outside the scene with the scene's defaults for its class, such as the orientations of slices."""
    node = scene.CreateNodeByClass(class_name)
    node.UnRegister(None)  # the caller's own reference, which Python has besides
    return node
