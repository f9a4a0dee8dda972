"""Tables of a run: its structures and its checks, as the report has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import vtk

from mri2mesh_slicer.mrml_nodes import add_node

STRUCTURE_COLUMNS = (
    *("name", "code", "meaning", "label", "volume_mm3", "area_mm2", "watertight", "self_intersections"),
    *("support_fraction", "uncertainty_mean_mm", "uncertainty_p95_mm"),
)
MEASURE_COLUMNS = ("place", "side", "title", "value", "unit", "uncertainty", "support", "missing")
CHECK_COLUMNS = ("name", "structure", "value", "threshold", "passed", "detail")


def add_table(scene: Any, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Any:
    """A table node; columns of numbers where every known value is one, of text otherwise."""
    table = vtk.vtkTable()
    for title in columns:
        table.AddColumn(_column(title, [row[title] for row in rows]))
    node = add_node(scene, "vtkMRMLTableNode", name)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def _column(title: str, values: Sequence[Any]) -> vtk.vtkAbstractArray:
    known = [value for value in values if value is not None]
    numbers = bool(known) and all(isinstance(value, (int, float)) for value in known)
    numbers = numbers and not any(isinstance(value, bool) for value in known)
    column = vtk.vtkDoubleArray() if numbers else vtk.vtkStringArray()
    column.SetName(title)
    for value in values:
        column.InsertNextValue(_number(value) if numbers else _text(value))
    return column


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
