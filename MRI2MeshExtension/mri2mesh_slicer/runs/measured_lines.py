"""The lines that measures were taken along, as one model that is hidden until it is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import vtk

from mri2mesh.geometry.coordinates import flip_ras_lps
from mri2mesh_slicer.mrml_nodes import add_display, add_node

NAME = "Measured lines"
COLOUR = (1.0, 0.27, 0.0)
LINE_WIDTH = 3


def add_lines(scene: Any, measures: Sequence[Mapping[str, Any]]) -> Any:
    """A model node with a line for each that the report's measures have. The cells' ``measure`` is the row of the table
    of measures that each belongs to."""
    points, cells, owner = vtk.vtkPoints(), vtk.vtkCellArray(), vtk.vtkIntArray()
    owner.SetName("measure")
    for row, measure in enumerate(measures):
        for line in measure["lines_lps_mm"]:
            cells.InsertNextCell(len(line))
            for point in flip_ras_lps(np.array(line, dtype=np.float64)):
                cells.InsertCellPoint(points.InsertNextPoint(*point))
            owner.InsertNextValue(row)
    surface = vtk.vtkPolyData()
    surface.SetPoints(points)
    surface.SetLines(cells)
    surface.GetCellData().AddArray(owner)
    node = add_node(scene, "vtkMRMLModelNode", NAME)
    node.SetAndObservePolyData(surface)
    display = add_display(node)
    display.SetColor(*COLOUR)
    display.SetLineWidth(LINE_WIDTH)
    display.SetLighting(False)
    display.SetScalarVisibility(False)
    display.SetVisibility(False)
    storage = add_node(scene, "vtkMRMLModelStorageNode", f"{NAME} storage")
    storage.SetDefaultWriteFileExtension("vtp")
    node.SetAndObserveStorageNodeID(storage.GetID())
    return node
