"""MRML nodes of images and surfaces, as a user's scene has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import to_polydata


def image_node(scene: Any, pixels: NDArray, name: str = "film") -> Any:
    """A one-slice volume of pixels [rows, columns], grey, shown from its least value to its largest."""
    image = vtk.vtkImageData()
    image.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(pixels).ravel(), deep=True))
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetAndObserveImageData(image)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(float(pixels.min()), float(pixels.max()))
    return node


def model_node(
    scene: Any, mesh: Mesh, name: str = "bone", colour: tuple[float, float, float] = (1.0, 0.6, 0.1)
) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    node.SetAndObservePolyData(to_polydata(mesh))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetColor(*colour)
    return node


def transform_node(scene: Any, matrix: NDArray, name: str = "transform") -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    set_matrix(node, matrix)
    return node


def set_matrix(node: Any, matrix: NDArray) -> None:
    values = vtk.vtkMatrix4x4()
    values.DeepCopy(np.asarray(matrix, float).ravel().tolist())
    node.SetMatrixTransformToParent(values)
