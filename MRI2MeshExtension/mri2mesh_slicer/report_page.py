"""The report of a run in the scene as a page to read."""

from __future__ import annotations

import json
from pathlib import Path

from mri2mesh.errors import InputError
from mri2mesh.export.report_html import write_report_html
from mri2mesh_slicer.runs import REPORTED_AS, RunNodes, structure_name


def write_report_page(run: RunNodes, path: Path) -> Path:
    """One HTML file, from the report's text that the scene keeps: without the pictures, which it does not keep.

    The page has the names that the engine gave; where levels were shifted since, it says so.
    Raises InputError where the report was deleted from the scene, cannot be read, or cannot be written.
    """
    content = json.loads(run.report.text)
    for model in run.models:
        was, now = str(model.GetAttribute(REPORTED_AS)), structure_name(model)
        if was != now:
            content["warnings"].append(
                f"the levels were renamed in the scene after this report: what it calls {was} is {now} there"
            )
            break
    try:
        return write_report_html(content, {}, path)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("the report of this run is of another version: run again") from error
