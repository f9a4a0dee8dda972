"""What is drawn of a radiograph in 3D: the image on its detector, and the beam from the source to it."""

from __future__ import annotations

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

from mri2mesh.geometry.xray_camera import XrayCamera

SOURCE_SHARE = 0.01
"""Radius of the ball at the source, as a fraction of the way to the detector."""


def image_plane(camera: XrayCamera) -> vtk.vtkPolyData:
    """A rectangle with texture coordinates, from the centre of the first pixel to that of the last.

    It ends at pixel centres so that no texture is interpolated beyond the image's edge, from the other side.
    """
    (rows, columns), polydata = camera.size, vtk.vtkPolyData()
    corners = np.array([[0, 0], [columns - 1, 0], [columns - 1, rows - 1], [0, rows - 1]], dtype=float)
    polydata.SetPoints(points_of(camera.on_detector(corners)))
    polydata.SetPolys(cells_of(np.arange(4)[None]))
    texture = numpy_to_vtk(((corners + 0.5) / [columns, rows]).astype(np.float32), deep=True)
    texture.SetName("texture")
    polydata.GetPointData().SetTCoords(texture)
    return polydata


def beam(camera: XrayCamera) -> vtk.vtkPolyData:
    """A ball at the source, lines from it to the image's corners and the principal point, and the image's edges."""
    rows, columns = np.asarray(camera.size) - 0.5
    corners = [(-0.5, -0.5), (columns, -0.5), (columns, rows), (-0.5, rows)]
    on_detector = camera.on_detector([*corners, camera.principal_point_px])
    lines = [[0, n] for n in range(1, 6)] + [[1, 2], [2, 3], [3, 4], [4, 1]]
    beams = vtk.vtkPolyData()
    beams.SetPoints(points_of(np.concatenate([camera.source_ras_mm[None], on_detector])))
    beams.SetLines(cells_of(np.array(lines)))
    ball = vtk.vtkSphereSource()
    ball.SetRadius(SOURCE_SHARE * camera.source_to_detector_mm)
    ball.SetCenter(*camera.source_ras_mm)
    both = vtk.vtkAppendPolyData()
    both.AddInputData(beams)
    both.AddInputConnection(ball.GetOutputPort())
    both.Update()
    return both.GetOutput()


def points_of(places: NDArray) -> vtk.vtkPoints:
    """vtkPoints of [P, 3], in single precision as Slicer stores them."""
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(places, dtype=np.float32).reshape(-1, 3), deep=True))
    return points


def cells_of(corners: NDArray) -> vtk.vtkCellArray:
    """Cells of C points each from indices [N, C]."""
    cells = vtk.vtkCellArray()
    flat = np.ascontiguousarray(corners, dtype=np.int64).ravel()
    cells.SetData(corners.shape[1], numpy_to_vtkIdTypeArray(flat, deep=True))
    return cells
