"""The interactive view of a report's page; its program is `templates/viewer.js`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

from mri2mesh.export.report_sections import css_colour

LOOKS = (("front", "Front"), ("left", "Left"), ("back", "Back"), ("right", "Right"), ("below", "Below"))
COLOURS = (("structure", "Structure"), ("uncertainty", "Uncertainty"), ("support", "Support by the image"))


def view_3d_section(data: Mapping[str, Any], first: str) -> str:
    """data: of `view_3d_data`; nothing where it is empty. first: the side that is looked at first, of `LOOKS`."""
    if not data:
        return ""
    looks = "".join(f'<button type="button" data-look="{name}">{words}</button>' for name, words in LOOKS)
    colours = "".join(f'<button type="button" data-by="{name}">{words}</button>' for name, words in COLOURS)
    boxes = "".join(
        f'<label><input type="checkbox" checked data-structure="{number}"><i class="chip" style="background:'
        f'{css_colour(tuple(one["colour"]))}"></i>{escape(one["name"])}</label>'
        for number, one in enumerate(data["structures"])
    )
    most = data["most_uncertain_mm"]
    largest = f"{most:g} mm" if most is not None else "largest (scale unknown)"
    return (
        f'<h2>In 3D</h2><div id="view3d" data-first="{first}"><div class="bar">{looks}</div>'
        f'<div class="bar">Colour by: {colours}</div>'
        '<div class="stage"><canvas></canvas></div>'
        '<p class="legend" data-legend="uncertainty" hidden>0 mm <i class="ramp"></i> '
        f"{largest}, one standard deviation</p>"
        '<p class="legend" data-legend="support" hidden>filled in from other people <i class="ramp"></i> '
        "seen in the image</p>"
        '<p class="note" aria-live="polite"></p>'
        f'<div class="boxes">{boxes}<label><input type="checkbox" checked data-names>Names</label></div>'
        '<p class="small">Drag to turn, wheel or pinch to come nearer, drag with Shift to move. Press a value under '
        "Measures to see where it was taken.</p></div>"
        f'<script type="application/json" id="view3d-data">{_json(data)}</script>'
    )


def viewer_script() -> str:
    """The program of the view, to stand at the end of the page."""
    text = files("mri2mesh.export").joinpath("templates/viewer.js").read_text(encoding="utf-8")
    return f"<script>\n{text}</script>"


def _json(data: Mapping[str, Any]) -> str:
    """No text in it can end the script element."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
