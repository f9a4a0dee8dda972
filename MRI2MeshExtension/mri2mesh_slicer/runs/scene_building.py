"""A run into the scene in one undoable step, and out of it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from mri2mesh.anatomy.doubtful_levels import shown_name, shown_place
from mri2mesh_slicer.inputs import is_radiograph
from mri2mesh_slicer.labels.looks import look_alike
from mri2mesh_slicer.labels.segments import is_segmentation
from mri2mesh_slicer.mrml_nodes import add_node, one_step, remove_node, require_present
from mri2mesh_slicer.runs.measured_lines import add_lines
from mri2mesh_slicer.runs.results import RunResult
from mri2mesh_slicer.runs.runs import (
    CHECKS,
    INPUT,
    LINES,
    MEASURES,
    MODEL,
    REPORT,
    RUN,
    SEGMENTATION,
    STRUCTURES,
    RunNodes,
    find_run,
    runs_of,
)
from mri2mesh_slicer.runs.scalars import prepare_scalars
from mri2mesh_slicer.runs.structure_nodes import add_model, add_segmentation
from mri2mesh_slicer.runs.tables import CHECK_COLUMNS, MEASURE_COLUMNS, STRUCTURE_COLUMNS, add_table

PLUGINS = {
    "vtkMRMLModelNode": "Models",
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
}
"""Slicer's subject hierarchy plugin that owns the items of a class of nodes."""


def add_run(scene: Any, result: RunResult, inputs: Sequence[Any], *, name: str) -> RunNodes:
    """Show a finished run: a folder with a model per structure, a hidden segmentation, tables, and the report's text.

    inputs: the nodes it was made from. The folder goes into the study of the first, or beside it; the surfaces, which
    are in that node's own coordinates, get its parent transform, so that both move together.
    name: of the folder, numbered where another run has it.
    Raises InputError where an input has left the scene. The scene is changed wholly or not at all.
    """
    require_present(scene, inputs)
    report = result.report
    structures = [one.structure for one in report.structures]
    first = inputs[0] if inputs else None
    certain = report.levels is None or report.levels.certain
    about = "" if report.scale_known else ", scale unknown"
    with one_step(scene):
        folder = _add_folder(scene, first, name + about)
        folder.SetAttribute(RUN, report.engine)
        run = RunNodes(folder)
        models = [add_model(scene, one, result.surfaces[one.name], certain) for one in structures]
        prepare_scalars(models)
        segmentation = add_segmentation(scene, "Segmentation", structures, models, certain)
        rows = {key: report.rows(key) for key in ("structures", "measures", "checks")}
        for row in rows["structures"]:
            row["name"] = shown_name(row["name"], row["kind"], certain)
        for row in rows["measures"]:
            row["place"] = shown_place(row["place"], certain)
        lines = [add_lines(scene, rows["measures"])] if rows["measures"] else []
        if first is not None:
            for node in (*models, *lines, segmentation):
                node.SetAndObserveTransformNodeID(first.GetTransformNodeID())
            look_alike(first, models, segmentation)
            if not (is_segmentation(first) or is_radiograph(first)):
                segmentation.SetReferenceImageGeometryParameterFromVolumeNode(first)
        text = add_node(scene, "vtkMRMLTextNode", "Report")
        text.SetText(report.text)
        for role, nodes in (
            (INPUT, inputs),
            (MODEL, models),
            (SEGMENTATION, [segmentation]),
            (STRUCTURES, [add_table(scene, "Structures" + about, STRUCTURE_COLUMNS, rows["structures"])]),
            (MEASURES, [add_table(scene, "Measures", MEASURE_COLUMNS, rows["measures"])] if lines else []),
            (LINES, lines),
            (CHECKS, [add_table(scene, "Checks", CHECK_COLUMNS, rows["checks"])]),
            (REPORT, [text]),
        ):
            for node in nodes:
                folder.AddNodeReferenceID(role, node.GetID())
        hierarchy = scene.GetSubjectHierarchyNode()
        for node in run.nodes():
            item = hierarchy.CreateItem(run.folder_item, node)
            hierarchy.SetItemOwnerPluginName(item, PLUGINS[node.GetClassName()])
    return run


def remove_run(scene: Any, folder_item: int) -> None:
    """Take a run out of the scene in one undoable step, with everything in its folder that belongs to it.

    Whatever else the user put into the folder stays, one level up. Raises InputError where it is no run's folder.
    """
    run = find_run(scene, folder_item)
    with one_step(scene):
        for node in (*run.nodes(), run.folder):
            remove_node(scene, node)


def _add_folder(scene: Any, beside: Any, name: str) -> Any:
    """A folder that has a node: its eye shows and hides the whole run, and Undo can take it back."""
    hierarchy = scene.GetSubjectHierarchyNode()
    parent = _study_or_parent(hierarchy, beside)
    name = _numbered(name, [run.name for run in runs_of(scene)])
    node = add_node(scene, "vtkMRMLFolderDisplayNode", name)
    node.SetHideFromEditors(False)
    item = hierarchy.CreateItem(parent, node)
    hierarchy.SetItemLevel(item, "Folder")
    hierarchy.SetItemOwnerPluginName(item, "Folder")
    return node


def _numbered(name: str, taken: Iterable[str]) -> str:
    """The name, or where it is taken ``name (2)`` and so on, after the last one that there is."""
    same = re.compile(re.escape(name) + r"(?: \((\d+)\))?")
    numbers = [int(match[1] or 1) for match in map(same.fullmatch, taken) if match]
    return f"{name} ({max(numbers) + 1})" if numbers else name


def _study_or_parent(hierarchy: Any, node: Any) -> int:
    item = hierarchy.GetItemByDataNode(node) if node is not None else 0
    if not item:
        return int(hierarchy.GetSceneItemID())
    return int(hierarchy.GetItemAncestorAtLevel(item, "Study") or hierarchy.GetItemParent(item))
