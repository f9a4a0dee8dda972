"""Nodes as a user's scene has them, and what there is of them afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk
from numpy.typing import ArrayLike, NDArray
from vtk.util.numpy_support import numpy_to_vtk

from mri2mesh_slicer.matrices import vtk_matrix

OBLIQUE = np.array([[0.2, 0.1, 3.9, 12], [-0.7, 0.05, 0.4, 55], [0.03, -0.8, 0.2, 81], [0, 0, 0, 1.0]])
LEFT_HANDED = np.array([[0, 0, -4.0, 30], [0.8, 0, 0, -20], [0, 0.9, 0, -70], [0, 0, 0, 1.0]])


def volume_node(scene: Any, array: NDArray, matrix: ArrayLike | None = None, name: str = "image") -> Any:
    """A scalar volume of an array [K, J, I] or [K, J, I, components]; matrix: IJK to RAS, whole millimetres."""
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[2::-1])
    components = array.shape[3] if array.ndim == 4 else 1
    scalars = numpy_to_vtk(np.ascontiguousarray(array).reshape(-1, components), deep=True)
    image.GetPointData().SetScalars(scalars)
    kind = "vtkMRMLScalarVolumeNode" if components == 1 else "vtkMRMLVectorVolumeNode"
    node = scene.AddNewNodeByClass(kind, name)
    node.SetIJKToRASMatrix(vtk_matrix(np.eye(4) if matrix is None else np.asarray(matrix)))
    node.SetAndObserveImageData(image)
    return node


def points_node(scene: Any, points: dict[str, ArrayLike]) -> Any:
    """Control points by label, in world RAS."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    for label, point in points.items():
        node.AddControlPoint(vtk.vtkVector3d(*np.asarray(point, float).tolist()), label)
    return node


def linear_transform(scene: Any, matrix: ArrayLike) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    node.SetMatrixTransformToParent(vtk_matrix(np.asarray(matrix)))
    return node


def bending_transform(scene: Any) -> Any:
    """Thin-plate spline through points that no affine maps."""
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for corner in np.ndindex(2, 2, 2):
        point = 200.0 * (np.array(corner) - 0.5)
        source.InsertNextPoint(*point)
        target.InsertNextPoint(*(point + [8.0 * corner[2], -6.0 * corner[0] * corner[1], 5.0 * corner[0]]))
    bend = vtk.vtkThinPlateSplineTransform()
    bend.SetBasisToR()
    bend.SetSourceLandmarks(source)
    bend.SetTargetLandmarks(target)
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    node.SetAndObserveTransformToParent(bend)
    return node


def ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def names_in(scene: Any, item: int) -> list[str]:
    """Names of the direct children of a subject hierarchy item."""
    hierarchy = scene.GetSubjectHierarchyNode()
    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, children)
    return [hierarchy.GetItemName(children.GetId(n)) for n in range(children.GetNumberOfIds())]


def column(table_node: Any, title: str) -> list[Any]:
    values = table_node.GetTable().GetColumnByName(title)
    return [values.GetValue(n) for n in range(values.GetNumberOfValues())]


def segments(segmentation_node: Any) -> list[Any]:
    segmentation = segmentation_node.GetSegmentation()
    return [segmentation.GetNthSegment(n) for n in range(segmentation.GetNumberOfSegments())]


def tag(segment: Any, name: str) -> str | None:
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else None
