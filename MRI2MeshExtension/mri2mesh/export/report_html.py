"""report.html: the report as one page to read; pictures and an interactive view inside, nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2mesh.atomic import whole_file
from mri2mesh.export.report_measures import measures_section
from mri2mesh.export.report_sections import (
    checks_section,
    pictures_section,
    provenance_section,
    structures_section,
)
from mri2mesh.export.report_verdict import failures_section, first_reasons, levels_note, summary
from mri2mesh.export.report_view_3d import view_3d_section, viewer_script
from mri2mesh.export.report_views import views_table

if TYPE_CHECKING:
    from mri2mesh.export.report import Report

NOTICE = "For research use. Not a medical device: not for diagnosis or treatment decisions."


def as_they_are(text: str) -> str:
    """The library's own words, which are those of the command line."""
    return text


def write_report_html(
    report: Report,
    pictures: Mapping[str, Path | bytes],
    path: Path | str,
    no_pictures: str = "",
    view_3d: Mapping[str, Any] | None = None,
    words: Callable[[str], str] = as_they_are,
) -> Path:
    """Write the page of `report_html`. Raises InputError for an unwritable folder."""
    with whole_file(path) as temporary:
        temporary.write_text(report_html(report, pictures, no_pictures, view_3d, words), encoding="utf-8")
    return Path(path)


def report_html(
    report: Report,
    pictures: Mapping[str, Path | bytes],
    no_pictures: str = "",
    view_3d: Mapping[str, Any] | None = None,
    words: Callable[[str], str] = as_they_are,
) -> str:
    """The page as text: the verdict and why, pictures, the 3D view, what to do, measures, structures; the rest folded.

    pictures: caption -> PNG file or its bytes, in order. no_pictures: said where there are none. view_3d: of
    `view_3d_data`. words: puts a sentence of the library into the words of the program that shows the report.
    """
    style = files("mri2mesh.export").joinpath("templates/report.css").read_text(encoding="utf-8")
    doubtful = not report["passed"] or not report["structures"]
    spine = any(row["kind"] in ("vertebra", "disc") for row in report["structures"])
    view = view_3d_section(view_3d or {}, "left" if spine else "front")
    parts = [
        f"<h1>{_title(report)}</h1>",
        f'<p class="notice">{NOTICE}</p>',
        levels_note(report.get("levels"), words),
        f'<div class="summary {"look" if doubtful else "good"}">{escape(summary(report))}{first_reasons(report)}</div>',
        pictures_section(pictures, no_pictures),
        view,
        failures_section(report, words),
        measures_section(report, bool(view)),
        structures_section(report),
        views_table(report),
        checks_section(report["checks"]),
        provenance_section(report),
        viewer_script() if view else "",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>MRI2Mesh report</title><style>\n{style}</style></head><body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def _title(report: Report) -> str:
    if "views" in report["input"]:
        return "Bone surfaces from radiographs"
    kinds = {row["kind"] for row in report["structures"]}
    return (
        "Bone surfaces" if kinds and not kinds & {"vertebra", "disc", "sacrum"} else "Lumbar spine surfaces"
    )
