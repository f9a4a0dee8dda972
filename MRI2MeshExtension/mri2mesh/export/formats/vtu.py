"""VTK's unstructured grid: elements with their structure and part as numbers, nodes with every array of the surface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import (
    VTK_QUADRATIC_TETRA,
    VTK_TETRA,
    vtkCellArray,
    vtkUnstructuredGrid,
)
from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.volume_mesh import VolumeMesh


def to_grid(mesh: VolumeMesh) -> vtkUnstructuredGrid:
    """The tetrahedra with cell arrays ``structure`` and ``part``, numbers whose names a comment in the file lists.

    Names are not field arrays, because meshio reads no text in a VTU.
    Sets of nodes are point arrays of 0 and 1, named as in the other formats, ``N_L3_SURFACE`` and so on.
    """
    grid, points, cells = vtkUnstructuredGrid(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(mesh.nodes), deep=True))
    grid.SetPoints(points)
    width = mesh.tetrahedra.shape[1]
    offsets = np.arange(0, width * len(mesh.tetrahedra) + 1, width, dtype=np.int64)
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True),
        numpy_to_vtkIdTypeArray(np.ascontiguousarray(mesh.tetrahedra).ravel(), deep=True),
    )
    grid.SetCells(VTK_QUADRATIC_TETRA if mesh.quadratic else VTK_TETRA, cells)
    part = np.zeros(len(mesh.tetrahedra), np.int32)
    for number, name in enumerate(mesh.parts):
        part[mesh.element_sets[name]] = number
    for name, values in (("structure", mesh.domains.astype(np.int32)), ("part", part)):
        _add(grid.GetCellData(), name, values)
    for name, values in mesh.node_data.items():
        _add(grid.GetPointData(), name, values)
    for name, nodes in mesh.node_sets().items():
        inside = np.zeros(len(mesh.nodes), np.uint8)
        inside[nodes] = 1
        _add(grid.GetPointData(), f"N_{name}", inside)
    return grid


def write_vtu(mesh: VolumeMesh, path: Path, space: str) -> None:
    """Nodes are written as they are; space says what they are in. Raises InputError where the disk is full."""
    writer = vtkXMLUnstructuredGridWriter()
    writer.SetInputData(to_grid(mesh))
    writer.SetFileName(str(path))
    writer.SetDataModeToBinary()  # text around base64: other readers take it, and a comment can be put into it
    problems: list[str] = []
    watched: Any = writer
    watched.AddObserver("ErrorEvent", lambda *_: problems.append("error"))  # else VTK prints a page
    if not writer.Write() or problems:
        raise InputError(f"{path.name} could not be written: is the disk full?")
    names = [f"{what} {number}: {name}" for what, listed in (("structure", mesh.names), ("part", mesh.parts))
             for number, name in enumerate(listed)]  # fmt: skip
    comment = "\n".join([f"<!-- MRI2Mesh. SPACE={space} UNITS=mm", *names, "-->", ""]).encode("ascii")
    head, rest = path.read_bytes().split(b"\n", 1)  # the XML declaration stays first
    path.write_bytes(head + b"\n" + comment + rest)


def _add(data: object, name: str, values: np.ndarray) -> None:
    array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
    array.SetName(name)
    data.AddArray(array)  # type: ignore[attr-defined]
