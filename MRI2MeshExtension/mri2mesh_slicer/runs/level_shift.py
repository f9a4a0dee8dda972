"""A whole run one level up or down, where the count of the vertebrae began at the wrong one."""

from __future__ import annotations

from typing import Any

import vtk

from mri2mesh.anatomy.structures import DISC_LEVELS, STRUCTURES, VERTEBRA_LEVELS, Structure
from mri2mesh.errors import InputError
from mri2mesh_slicer.mrml_nodes import one_step
from mri2mesh_slicer.runs.runs import STRUCTURE, RunNodes, structure_name
from mri2mesh_slicer.runs.structure_nodes import make_model, make_segment

SEQUENCES = (VERTEBRA_LEVELS, DISC_LEVELS)
"""Names from head to foot that a shift moves along."""


def shift_levels(run: RunNodes, by: int) -> None:
    """Rename, recode, recolour and relabel models, segments and tables by so many levels; one undoable step.

    by: as in ``--level-shift``, 1 calls what was L4 L3 (one level up), -1 calls it L5. The report's text keeps the
    names that the engine gave.
    Raises InputError, and changes nothing, where a structure would leave the known levels or has none.
    """
    names = {structure_name(model) for model in run.models}
    if not names:
        raise InputError("this run has no structures: there is nothing to shift")
    shifted = {name: _shifted(name, by) for name in names}
    with one_step(run.scene):
        for model in run.models:
            make_model(model, shifted[structure_name(model)])
        if run.segmentation is not None:
            _shift_segments(run.segmentation, shifted)
        if run.structures_table is not None:
            _shift_structures_table(run.structures_table, shifted)
        if run.checks_table is not None:
            _shift_column(run.checks_table, "structure", shifted)


def _shifted(name: str, by: int) -> Structure:
    sequence = next((names for names in SEQUENCES if name in names), None)
    if sequence is None:
        raise InputError(f"{name} cannot be shifted: only vertebrae and discs have levels")
    place = sequence.index(name) - by
    if not 0 <= place < len(sequence):
        raise InputError(
            f"{name} cannot be shifted by {by:+d}: the levels known are {sequence[0]} to {sequence[-1]}"
        )
    return STRUCTURES[sequence[place]]


def _shift_segments(node: Any, shifted: dict[str, Structure]) -> None:
    segmentation = node.GetSegmentation()
    for n in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(n)
        name = vtk.reference("")
        if segment.GetTag(STRUCTURE, name) and str(name) in shifted:
            make_segment(segment, shifted[str(name)])


def _shift_structures_table(node: Any, shifted: dict[str, Structure]) -> None:
    table = node.GetTable()
    names = table.GetColumnByName("name")
    for row in range(table.GetNumberOfRows()):
        structure = shifted.get(names.GetValue(row))
        if structure is None:
            continue
        for title, value in (
            ("code", structure.code),
            ("meaning", structure.meaning),
            ("label", structure.label),
            ("name", structure.name),
        ):
            table.SetValueByName(row, title, vtk.vtkVariant(value))
    node.Modified()


def _shift_column(node: Any, title: str, shifted: dict[str, Structure]) -> None:
    column = node.GetTable().GetColumnByName(title)
    for row in range(column.GetNumberOfValues()):
        if column.GetValue(row) in shifted:
            column.SetValue(row, shifted[column.GetValue(row)].name)
    node.Modified()
