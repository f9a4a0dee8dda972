"""Sections of a report's page: structures, pictures, and, folded away, every check and where it came from."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2mesh.anatomy.doubtful_levels import shown_colour, shown_name
from mri2mesh.export.report_views import SCALE_UNKNOWN, cell

if TYPE_CHECKING:
    from mri2mesh.export.report import Report


def folded(title: str, content: str) -> str:
    """What is shown when its title is pressed."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def css_colour(colour: tuple[float, float, float]) -> str:
    """RGB 0..1 as ``#rrggbb``."""
    return "#" + "".join(f"{round(255 * c):02x}" for c in colour)


def levels_certain(report: Report) -> bool:
    """False where the names of the report's vertebrae are a guess."""
    return (report.get("levels") or {"certain": True})["certain"]


def structures_section(report: Report) -> str:
    rows = []
    for item in report["structures"]:
        certain = levels_certain(report)
        name = shown_name(item["name"], item["kind"], certain)
        shade = shown_colour(item["kind"], tuple(item["colour"]), certain)
        colour = css_colour(shade)
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


def checks_section(checks: list[Report]) -> str:
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
    table = (
        '<div class="scroll"><table><tr><th>Result</th><th>Check</th><th>Where</th>'
        '<th class="n">Value</th><th class="n">Limit</th><th>Reason</th></tr>'
        + "".join(rows)
        + "</table></div>"
    )
    return folded(f"All {len(rows)} checks", table)


def pictures_section(pictures: Mapping[str, Path | bytes], otherwise: str) -> str:
    figures = []
    for caption, picture in pictures.items():
        png = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        data, text = base64.b64encode(png).decode("ascii"), escape(caption)
        figures.append(
            f'<figure{" class=wide" if _is_wide(png) else ""}><img alt="{text}" src="data:image/png;base64,{data}">'
            f"<figcaption>{text}</figcaption></figure>"
        )
    content = "".join(figures) or (f"<p>{escape(otherwise)}</p>" if otherwise else "")
    return f"<h2>On the image</h2>{content}" if content else ""


def _is_wide(png: bytes) -> bool:
    """Whether a narrow window shows a part of a picture at a time; a PNG has its size in bytes 16 to 24."""
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    return width > 2 * height > 0


def provenance_section(report: Report) -> str:
    rows: list[tuple[str, Any]] = [
        ("Made", report["made"]),
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
    return folded("Where this came from", f'<div class="scroll"><table>{table}</table></div>')


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
