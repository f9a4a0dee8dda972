"""The report of a run in the scene as a page to read, with the names that its structures have now."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.errors import InputError
from mri2mesh.export.report import describe_levels
from mri2mesh.export.report_html import as_they_are, write_report_html
from mri2mesh.export.view_3d_data import view_3d_data
from mri2mesh.geometry.vtk_bridge import from_polydata
from mri2mesh.reconstruction import LEVEL_CHECK, level_check
from mri2mesh_slicer.runs.renamed import renamed_text
from mri2mesh_slicer.runs.runs import REPORTED_AS, RunNodes, structure_name

NOT_KEPT = "The scene keeps no pictures: 3D Slicer's own views show the surfaces on the image."
RENAMED = (
    "the levels were renamed after this run: what it called {was} is {now} here; pictures and files keep the names of"
    " before"
)


def write_report_page(
    run: RunNodes,
    path: Path,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
    words: Callable[[str], str] = as_they_are,
) -> Path:
    """One HTML file, from the report's text and the models that the scene keeps. pictures: caption -> PNG, where they
    are at hand. words: puts a sentence of the library into those of the panel.

    Where levels were renamed since the run, the page has the names of now, and says so.
    Raises InputError where the report was deleted from the scene, cannot be read, or cannot be written.
    """
    content = json.loads(run.report.text)
    names = {str(model.GetAttribute(REPORTED_AS)): structure_name(model) for model in run.models}
    renamed = {was: now for was, now in names.items() if was != now}
    try:
        if renamed:
            _rename(content, renamed)
        _recount(content, run)
        view = _view_3d(content, run)
        return write_report_html(content, pictures, path, NOT_KEPT, view, words)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("the report of this run is of another version: run again") from error


def _view_3d(content: dict[str, Any], run: RunNodes) -> dict[str, Any]:
    """The surfaces as they are in the scene now, without the image's transforms, in which the report's lines are."""
    meshes = {structure_name(model): from_polydata(model.GetPolyData()) for model in run.models}
    unknown = {name: np.full(len(mesh.vertices), np.nan) for name, mesh in meshes.items()}
    values = {
        name: (
            mesh.point_data.get("uncertainty_mm", unknown[name]),
            mesh.point_data.get("support", unknown[name]),
        )
        for name, mesh in meshes.items()
    }
    return view_3d_data(content, meshes, values)


def _rename(content: dict[str, Any], renamed: Mapping[str, str]) -> None:
    """Structures, and the names of structures in the sentences of the checks."""
    for row in content["structures"]:
        if row["name"] in renamed:
            structure = STRUCTURES[renamed[row["name"]]]
            row.update(
                name=structure.name, code=structure.code, meaning=structure.meaning, label=structure.label
            )
            row["colour"] = list(structure.colour)
    for rows, keys in (("checks", ("structure", "detail")), ("measures", ("place", "missing"))):
        for row in content.get(rows, []):
            for key in keys:
                if row[key]:
                    row[key] = renamed_text(row[key], renamed)
    was, now = next(iter(renamed.items()))
    content["warnings"].append(RENAMED.format(was=was, now=now))


def _recount(content: dict[str, Any], run: RunNodes) -> None:
    """What fixes the count now."""
    count = run.levels
    if count is None:
        return
    content["levels"] = describe_levels(count)
    check = level_check(count)
    for row in content["checks"]:
        if row["name"] == LEVEL_CHECK:
            row.update(value=check.value, passed=check.passed, detail=check.detail)
