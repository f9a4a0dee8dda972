"""The report of a run in the scene as a page to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from mri2mesh.errors import InputError
from mri2mesh.export.report_html import write_report_html
from mri2mesh_slicer.runs.runs import REPORTED_AS, RunNodes, structure_name

NOT_KEPT = "The scene keeps no pictures: 3D Slicer's own views show the surfaces on the image."


def write_report_page(
    run: RunNodes, path: Path, pictures: Mapping[str, bytes] = MappingProxyType({})
) -> Path:
    """One HTML file, from the report's text that the scene keeps. pictures: caption -> PNG, where they are at hand.

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
        return write_report_html(content, pictures, path, NOT_KEPT)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("the report of this run is of another version: run again") from error
