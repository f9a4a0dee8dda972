from __future__ import annotations

import numpy as np
import pytest
import vtk

from geometry.solids import hand, sphere
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import from_polydata, to_polydata


def test_a_mesh_comes_back_from_vtk_as_it_went_with_its_data() -> None:
    mesh = hand()
    mesh = mesh.with_point_data(
        region=np.arange(len(mesh.vertices), dtype=np.uint8),
        offset=mesh.vertices * 2,
        seen=mesh.vertices[:, 0] > 3,
    )
    back = from_polydata(to_polydata(mesh))
    np.testing.assert_array_equal(back.vertices, mesh.vertices)
    np.testing.assert_array_equal(back.faces, mesh.faces)
    assert back.regions is not None and back.regions.dtype == np.uint8
    np.testing.assert_array_equal(back.regions, mesh.regions)
    np.testing.assert_array_equal(back.point_data["offset"], mesh.point_data["offset"])
    np.testing.assert_array_equal(back.point_data["seen"].astype(bool), mesh.point_data["seen"])


def test_vtk_measures_the_same_volume_so_orientation_is_kept() -> None:
    properties = vtk.vtkMassProperties()
    properties.SetInputData(to_polydata(sphere(10, subdivisions=4)))
    assert properties.GetVolume() == pytest.approx(4 / 3 * np.pi * 1000, rel=1e-2)


def test_the_vtk_copy_is_independent_of_the_mesh() -> None:
    polydata = to_polydata(hand())
    polydata.GetPoints().SetPoint(0, 99, 99, 99)
    assert hand().vertices.max() < 50
    assert from_polydata(polydata).vertices[0, 0] == 99


def test_polygons_are_triangulated_and_lines_dropped() -> None:
    cube = vtk.vtkCubeSource()
    cube.Update()
    append = vtk.vtkAppendPolyData()
    line = vtk.vtkLineSource()
    line.Update()
    append.AddInputData(line.GetOutput())
    append.AddInputData(cube.GetOutput())
    append.Update()
    assert from_polydata(append.GetOutput()).faces.shape == (12, 3)


def test_an_empty_surface_survives() -> None:
    empty = Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    assert from_polydata(to_polydata(empty)).faces.shape == (0, 3)
    assert from_polydata(vtk.vtkPolyData()).vertices.shape == (0, 3)
