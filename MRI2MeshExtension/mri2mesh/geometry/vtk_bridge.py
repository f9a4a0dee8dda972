"""`Mesh` to vtkPolyData and back. Coordinates pass through unchanged: RAS stays RAS."""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkTriangleFilter

from mri2mesh.geometry.mesh import Mesh


def to_polydata(mesh: Mesh) -> vtkPolyData:
    """A vtkPolyData with its own copy of the vertices, triangles and point data (booleans become uint8)."""
    points = vtkPoints()
    points.SetData(numpy_to_vtk(mesh.vertices, deep=True))
    cells = vtkCellArray()
    offsets = np.arange(0, 3 * len(mesh.faces) + 1, 3, dtype=np.int64)
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(mesh.faces.ravel(), deep=True)
    )
    polydata = vtkPolyData()
    polydata.SetPoints(points)
    polydata.SetPolys(cells)
    for name, values in mesh.point_data.items():
        values = np.ascontiguousarray(values)
        if values.dtype == bool:
            values = values.astype(np.uint8)
        if values.dtype == np.float16:  # VTK has no half precision
            values = values.astype(np.float32)
        array = numpy_to_vtk(values, deep=True)
        array.SetName(name)
        polydata.GetPointData().AddArray(array)
    return polydata


def from_polydata(polydata: vtkPolyData) -> Mesh:
    """A `Mesh` with copies of the points, polygons (as triangles; no lines or vertices) and point data."""
    n_cells = polydata.GetNumberOfCells()
    sizes = polydata.GetPolys().GetMaxCellSize() if n_cells else 3
    if polydata.GetNumberOfPolys() != n_cells or sizes != 3:
        triangulate = vtkTriangleFilter()
        triangulate.PassVertsOff()
        triangulate.PassLinesOff()
        triangulate.SetInputData(polydata)
        triangulate.Update()
        polydata = triangulate.GetOutput()
    vertices = np.zeros((0, 3), np.float32)
    if polydata.GetNumberOfPoints():
        vertices = vtk_to_numpy(polydata.GetPoints().GetData()).astype(np.float32)
    faces = vtk_to_numpy(polydata.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3)
    point_data = {}
    arrays = polydata.GetPointData()
    for index in range(arrays.GetNumberOfArrays()):
        array = arrays.GetArray(index)  # None for string arrays, which a Mesh does not carry
        if array is not None and array.GetName():
            point_data[array.GetName()] = vtk_to_numpy(array).copy()
    return Mesh(vertices, faces, point_data)
