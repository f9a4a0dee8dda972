"""report.html: the report as one page to read; pictures inside, nothing fetched from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2mesh.anatomy.doubtful_levels import shown_colour, shown_name
from mri2mesh.atomic import whole_file
from mri2mesh.export.report_views import SCALE_UNKNOWN, cell, views_table

if TYPE_CHECKING:
    from mri2mesh.export.report import Report

NOTICE = "For research use. Not a medical device: not for diagnosis or treatment decisions."


def write_report_html(
    report: Report, pictures: Mapping[str, Path | bytes], path: Path | str, no_pictures: str = ""
) -> Path:
    """Write the page. pictures: caption -> PNG file or its bytes, in order. no_pictures: said where there are none.
    Raises InputError for an unwritable folder."""
    with whole_file(path) as temporary:
        temporary.write_text(report_html(report, pictures, no_pictures), encoding="utf-8")
    return Path(path)


def report_html(report: Report, pictures: Mapping[str, Path | bytes], no_pictures: str = "") -> str:
    """The page as text: what was found first, then checks, pictures, and where it came from."""
    style = files("mri2mesh.export").joinpath("templates/report.css").read_text(encoding="utf-8")
    failed = [check for check in report["checks"] if not check["passed"]]
    parts = [
        f"<h1>{_title(report)}</h1>",
        f'<p class="notice">{NOTICE}</p>',
        _levels(report.get("levels")),
        f'<p class="summary {"look" if failed else "good"}">{escape(summary(report))}</p>',
        _warnings(report["warnings"]),
        _structures(report),
        views_table(report),
        _checks(report["checks"]),
        _pictures(pictures, no_pictures),
        _provenance(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>MRI2Mesh report</title><style>\n{style}</style></head><body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def summary(report: Report) -> str:
    """One sentence: what was reconstructed and whether the checks passed."""
    kinds = [structure["kind"] for structure in report["structures"]]
    found = [
        f"{number} {one if number == 1 else many}"
        for number, one, many in (
            (kinds.count("vertebra"), "vertebra", "vertebrae"),
            (kinds.count("disc"), "disc", "discs"),
            (kinds.count("sacrum"), "sacral body", "sacral bodies"),
            (kinds.count("hip"), "hip", "hips"),
            (kinds.count("whole_sacrum"), "sacrum", "sacra"),
            (kinds.count("femur"), "femur", "femora"),
        )
        if number
    ]
    made = f"Reconstructed {_listed(found)}." if found else "Nothing was reconstructed."
    checks = report["checks"]
    failed = [check for check in checks if not check["passed"]]
    if not checks:
        return f"{made} No checks were made."
    if not failed:
        return f"{made} All {len(checks)} checks passed." if len(checks) > 1 else f"{made} The check passed."
    where = sorted({check["structure"] for check in failed if check["structure"]})
    at = f" ({', '.join(where)})" if where else ""
    advice = "see why before relying on the result"
    return f"{made} {len(failed)} of {len(checks)} checks did not pass{at}: {advice}."


def levels_certain(report: Report) -> bool:
    """False where the names of the report's vertebrae are a guess."""
    return (report.get("levels") or {"certain": True})["certain"]


def _levels(levels: Report | None) -> str:
    """How the names came about; a guess is set off, with what can be done about it."""
    if levels is None:
        return ""
    if levels["certain"]:
        return f"<p>{escape(levels['statement'])}</p>"
    advice = f" {levels['advice']}" if levels["advice"] else ""
    return f'<p class="summary look"><b>{escape(levels["statement"])}</b>{escape(advice)}</p>'


def _warnings(warnings: list[str]) -> str:
    if not warnings:
        return ""
    return "<h2>Warnings</h2><ul>" + "".join(f"<li>{escape(warning)}</li>" for warning in warnings) + "</ul>"


def _structures(report: Report) -> str:
    rows = []
    for item in report["structures"]:
        certain = levels_certain(report)
        name = shown_name(item["name"], item["kind"], certain)
        shade = shown_colour(item["kind"], tuple(item["colour"]), certain)
        colour = "#" + "".join(f"{round(255 * c):02x}" for c in shade)
        sound = item["watertight"] and not item["self_intersections"]
        surface = "closed" if item["watertight"] else "open"
        if item["self_intersections"]:
            surface += f", {item['self_intersections']} crossing faces"
        rows.append(
            f'<tr><td><i class="chip" style="background:{colour}"></i><b>{escape(name)}</b></td><td>'
            f'{escape(item["meaning"])}<br><span class="small">SNOMED CT {escape(item["code"])}</span></td>'
            + cell(item["volume_mm3"], 1e-3, 1)
            + cell(item["area_mm2"], 1e-2, 1)
            + cell(item["support_fraction"], 100, 0, " %")
            + cell(item["uncertainty_mean_mm"], 1, 2)
            + cell(item["uncertainty_p95_mm"], 1, 2)
            + f'<td class="{"ok" if sound else "no"}">{surface}</td></tr>'
        )
    if not rows:
        return ""
    explained = report["uncertainty_method"]
    note = f"Uncertainty: {escape(explained)}. " if explained else ""
    unknown = "" if report["scale_known"] else f'<p class="no">{SCALE_UNKNOWN}</p>'
    return (
        f'<h2>Structures</h2>{unknown}<div class="scroll"><table><tr><th>Name</th><th>Meaning</th>'
        '<th class="n">Volume, cm³</th><th class="n">Area, cm²</th><th class="n">Seen in image</th>'
        '<th class="n">Uncertainty, mm</th><th class="n">95th pct., mm</th><th>Surface</th></tr>'
        + "".join(rows)
        + f'</table></div><p class="small">{note}Seen in image: how much of the surface the image supports; '
        "the rest is filled in from known anatomy.</p>"
    )


def _checks(checks: list[Report]) -> str:
    rows = [
        ('<tr><td class="ok">passed</td>' if check["passed"] else '<tr><td class="no">not passed</td>')
        + f"<td>{escape(check['name'])}</td><td>{escape(check['structure'] or 'all')}</td>"
        + cell(check["value"], 1, 2)
        + cell(check["threshold"], 1, 2)
        + f"<td>{escape(check['detail'])}</td></tr>"
        for check in sorted(checks, key=lambda check: check["passed"])
    ]
    if not rows:
        return ""
    return (
        '<h2>Checks</h2><div class="scroll"><table><tr><th>Result</th><th>Check</th><th>Where</th>'
        '<th class="n">Value</th><th class="n">Limit</th><th>Reason</th></tr>'
        + "".join(rows)
        + "</table></div>"
    )


def _pictures(pictures: Mapping[str, Path | bytes], otherwise: str) -> str:
    figures = []
    for caption, picture in pictures.items():
        png = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        data, text = base64.b64encode(png).decode("ascii"), escape(caption)
        figures.append(
            f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
            f"<figcaption>{text}</figcaption></figure>"
        )
    content = "".join(figures) or (f"<p>{escape(otherwise)}</p>" if otherwise else "")
    return f"<h2>Pictures</h2>{content}" if content else ""


def _provenance(report: Report) -> str:
    rows: list[tuple[str, Any]] = [
        ("Engine", f"{report['engine']}, version {report['version']}"),
        *_inputs(report["input"]),
        ("Computed on", report["device"]),
        ("Time", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report["timings_s"].items())),
    ]
    for weights in report["weights"]:
        known = [str(weights[key]) for key in ("name", "licence", "sha256") if weights[key]]
        rows.append(("Weights", ", ".join(known)))
    rows += [(str(name), value) for name, value in report["settings"].items()]
    cells = [f"<td>{escape(name)}</td><td><code>{escape(str(value))}</code></td>" for name, value in rows]
    table = "".join(f"<tr>{cell}</tr>" for cell in cells)
    return f'<h2>Where this came from</h2><div class="scroll"><table>{table}</table></div>'


def _inputs(given: Report) -> list[tuple[str, Any]]:
    if "views" in given:
        return [
            (f"Image {number} SHA-256 ({view['sha256_of']})", view["sha256"])
            for number, view in enumerate(given["views"], 1)
        ]
    size, spacing = (" × ".join(f"{value:g}" for value in given[key]) for key in ("size", "spacing_mm"))
    thickness = f", slices {given['slice_thickness_mm']:g} mm thick" if given["slice_thickness_mm"] else ""
    return [
        ("Image", f"{given['modality'] or ''} {size} voxels of {spacing} mm{thickness}".strip()),
        (f"Image SHA-256 ({given['sha256_of']})", given["sha256"]),
    ]


def _title(report: Report) -> str:
    return "Bone surfaces from radiographs" if "views" in report["input"] else "Lumbar spine surfaces"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
