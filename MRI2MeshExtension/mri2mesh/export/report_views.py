"""The radiographs of a report: what each was recognised as, which of its geometry is known, how well it agrees."""

from __future__ import annotations

from html import escape
from typing import Any

from mri2mesh.imaging.radiographs.recognise import FROM
from mri2mesh.imaging.radiographs.xray_geometry import WORDS

SCALE_UNKNOWN = (
    "Scale unknown: the pixel spacing is only assumed. Sizes are not given, and the surfaces' "
    "millimetres mean nothing "
    "until the image is calibrated, as with a marker of known size."
)


def views_table(report: dict[str, Any]) -> str:
    """The section on the images; empty where the input was a volume."""
    rows = []
    for number, view in enumerate(report["input"].get("views", []), 1):
        geometry = view["geometry"]
        by_origin: dict[str, list[str]] = {}
        for name, words in WORDS.items():
            by_origin.setdefault(FROM[geometry[name]["origin"]], []).append(words)
        origins = "; ".join(f"{origin}: {', '.join(names)}" for origin, names in by_origin.items())
        rows.append(
            f"<tr><td>{number}</td><td>{escape(view['recognised'])}"
            f'<br><span class="small">{escape(origins)}</span></td>'
            + cell(view["masked_fraction"], 100, 0, " %")
            + cell(view["agreement"], 1, 2)
            + "</tr>"
        )
    if not rows:
        return ""
    return (
        '<h2>Images</h2><div class="scroll"><table><tr><th>Image</th><th>What it is and what is known of it</th>'
        '<th class="n">Masked</th><th class="n">Agreement</th></tr>'
        + "".join(rows)
        + '</table></div><p class="small">Agreement: correlation of the image with the shadow of the surfaces.</p>'
    )


def cell(value: float | None, scale: float, digits: int, unit: str = "") -> str:
    """A table cell with a number, or a dash."""
    return f'<td class="n">{"–" if value is None else f"{value * scale:.{digits}f}{unit}"}</td>'
