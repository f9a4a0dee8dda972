"""A whole run renamed: one level up or down, or so that the body at a point is the vertebra that the user names."""

from __future__ import annotations

from typing import Any

import vtk

from mri2mesh.anatomy.doubtful_levels import MARK, shown_name, shown_place
from mri2mesh.anatomy.structures import DISC_LEVELS, STRUCTURES, VERTEBRA_LEVELS, Structure
from mri2mesh.errors import InputError
from mri2mesh.reconstruction import LEVEL_CHECK, level_check
from mri2mesh_slicer.mrml_nodes import one_step
from mri2mesh_slicer.runs.renamed import renamed_text, shifted_names
from mri2mesh_slicer.runs.runs import NAMED, STRUCTURE, RunNodes, structure_name
from mri2mesh_slicer.runs.structure_nodes import make_model, make_segment

SEQUENCES = (VERTEBRA_LEVELS, DISC_LEVELS)
"""Names from head to foot that a shift moves along."""


def shift_levels(run: RunNodes, by: int, named: str | None = None) -> None:
    """Rename, recode, recolour and relabel models, segments and tables by so many levels; one undoable step.

    by: as in ``--level-shift``, 1 calls what was L4 L3 (one level up), -1 calls it L5. named: the level that the user
    named, which makes the names certain; without it they are as certain as the run's own. The report's text keeps the
    names that the engine gave.
    Raises InputError, and changes nothing, where a structure would leave the known levels or has none.
    """
    names = {structure_name(model) for model in run.models}
    if not names:
        raise InputError("this run has no structures: there is nothing to shift")
    shifted = {name: _shifted(name, by) for name in names}
    with one_step(run.scene):
        run.folder.SetAttribute(NAMED, named)
        certain = run.levels_certain
        for model in run.models:
            make_model(model, shifted[structure_name(model)], certain)
        if run.segmentation is not None:
            _shift_segments(run.segmentation, shifted, certain)
        if run.structures_table is not None:
            _shift_structures_table(run.structures_table, shifted, certain)
        if run.measures_table is not None:
            _shift_measures_table(run.measures_table, by, certain)
        if run.checks_table is not None:
            _shift_checks_table(run, shifted)


def _shifted(name: str, by: int) -> Structure:
    if by == 0:
        return STRUCTURES[name]
    sequence = next((names for names in SEQUENCES if name in names), None)
    if sequence is None:
        raise InputError(f"{name} cannot be shifted: only vertebrae and discs have levels")
    place = sequence.index(name) - by
    if not 0 <= place < len(sequence):
        raise InputError(
            f"{name} cannot be shifted by {by:+d}: the levels known are {sequence[0]} to {sequence[-1]}"
        )
    return STRUCTURES[sequence[place]]


def _shift_segments(node: Any, shifted: dict[str, Structure], certain: bool) -> None:
    segmentation = node.GetSegmentation()
    for n in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(n)
        name = vtk.reference("")
        if segment.GetTag(STRUCTURE, name) and str(name) in shifted:
            make_segment(segment, shifted[str(name)], certain)


def _shift_structures_table(node: Any, shifted: dict[str, Structure], certain: bool) -> None:
    table = node.GetTable()
    names = table.GetColumnByName("name")
    for row in range(table.GetNumberOfRows()):
        structure = shifted.get(names.GetValue(row).removesuffix(MARK))
        if structure is None:
            continue
        for title, value in (
            ("code", structure.code),
            ("meaning", structure.meaning),
            ("label", structure.label),
            ("name", shown_name(structure.name, structure.kind, certain)),
        ):
            table.SetValueByName(row, title, vtk.vtkVariant(value))
    node.Modified()


def _shift_measures_table(node: Any, by: int, certain: bool) -> None:
    """Places, and the names in what is said to be missing. The lordosis keeps its place: it is from L1 to S1."""
    table, names = node.GetTable(), shifted_names(by)
    for row in range(table.GetNumberOfRows()):
        place = table.GetValueByName(row, "place").ToString().removesuffix(MARK)
        missing = table.GetValueByName(row, "missing").ToString()
        for title, value in (
            ("place", shown_place(names.get(place, place), certain)),
            ("missing", renamed_text(missing, names) if place in names else missing),
        ):
            table.SetValueByName(row, title, vtk.vtkVariant(value))
    node.Modified()


def _shift_checks_table(run: RunNodes, shifted: dict[str, Structure]) -> None:
    """The structures' names, and whether something fixes the count now."""
    node = run.checks_table
    table = node.GetTable()
    column, count = table.GetColumnByName("structure"), run.levels
    for row in range(table.GetNumberOfRows()):
        if column.GetValue(row) in shifted:
            column.SetValue(row, shifted[column.GetValue(row)].name)
        if count is not None and table.GetValueByName(row, "name").ToString() == LEVEL_CHECK:
            check = level_check(count)
            for title, value in (
                ("value", check.value),
                ("passed", "yes" if check.passed else "no"),
                ("detail", check.detail),
            ):
                table.SetValueByName(row, title, vtk.vtkVariant(value))
    node.Modified()
