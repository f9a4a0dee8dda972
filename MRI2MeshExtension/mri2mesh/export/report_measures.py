"""The measures of a report's page: a table for each group, a column for each place."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from mri2mesh.anatomy.doubtful_levels import in_words, shown_place
from mri2mesh.export.report_sections import levels_certain
from mri2mesh.measures.definitions import DEFINITIONS
from mri2mesh.measures.measure import SHOWN_UNITS

if TYPE_CHECKING:
    from mri2mesh.export.report import Report

Row = dict[str, Any]


def measures_section(report: Report, has_view: bool) -> str:
    """has_view: whether pressing a value can show where it was taken. Empty where nothing can be measured."""
    rows: list[tuple[int, Row]] = [
        (number, row) for number, row in enumerate(report.get("measures", [])) if row["key"] in DEFINITIONS
    ]
    if not rows:
        return ""
    certain, tables = levels_certain(report), []
    for group in dict.fromkeys(one.group for one in DEFINITIONS.values()):
        own = [(number, row) for number, row in rows if DEFINITIONS[row["key"]].group == group]
        if own:
            tables.append(_table(group, own, certain, has_view))
    missing = [row for _, row in rows if row["value"] is None]
    reasons = "".join(
        f"<li>{escape(_titled(row))}, {escape(shown_place(row['place'], certain))}: {escape(row['missing'])}</li>"
        for row in missing
    )
    folded = (
        f"<details><summary>{len(missing)} not measured, and why</summary><ul>{reasons}</ul></details>"
        if missing
        else ""
    )
    return (
        "<h2>Measures</h2>"
        + "".join(tables)
        + folded
        + '<p class="small">± one standard deviation, from the uncertainty of '
        "the surfaces. In space, in each bone's own axes, lying as in the image. Definitions and sources are in the "
        "documentation under Measures; the same values are in measures.csv.</p>"
    )


def _table(group: str, rows: list[tuple[int, Row]], certain: bool, has_view: bool) -> str:
    places = list(dict.fromkeys(row["place"] for _, row in rows))
    found = {(_titled(row), row["place"]): (number, row) for number, row in rows}
    titles = list(dict.fromkeys(_titled(row) for _, row in rows))
    head = "".join(f'<th class="n">{escape(shown_place(place, certain))}</th>' for place in places)
    body = []
    for title in titles:
        cells = "".join(_cell(found.get((title, place)), has_view) for place in places)
        unit = next(row["unit"] for _, row in rows if _titled(row) == title)
        body.append(f"<tr><td>{escape(title)},{escape(SHOWN_UNITS[unit].rjust(2))}</td>{cells}</tr>")
    return (
        f'<h3>{escape(group)}</h3><div class="scroll"><table class="measures"><tr><th></th>{head}</tr>'
        + "".join(body)
        + "</table></div>"
    )


def _titled(row: Row) -> str:
    return (
        f"{row['title']}, {row['side']}"
        if row["side"] and not row["place"].endswith(row["side"])
        else row["title"]
    )


def _cell(found: tuple[int, Row] | None, has_view: bool) -> str:
    if found is None:
        return "<td></td>"
    number, row = found
    if row["value"] is None:
        return f'<td class="n" title="{escape(row["missing"])}">–</td>'
    spread = "" if row["uncertainty"] is None else f' <span class="small">±{row["uncertainty"]:.1f}</span>'
    value = f"{row['value']:.1f}{spread}"
    if not has_view:
        return f'<td class="n">{value}</td>'
    meaning = escape(f"{in_words(row['place'])}: {row['title']}. {DEFINITIONS[row['key']].meaning}")
    return (
        f'<td class="n"><button type="button" data-measure="{number}" title="{meaning}">{value}</button></td>'
    )
