"""Measures in files: as plain rows for report.json, and those rows as a CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mri2mesh.atomic import whole_file
from mri2mesh.geometry.coordinates import flip_ras_lps
from mri2mesh.measures.measure import Measure

COLUMNS = (
    *("place", "side", "key", "title", "value", "unit", "uncertainty", "support", "missing"),
    *("structures", "lines_lps_mm"),
)
"""Of the CSV: where, what, how much and how sure; why not; of which surfaces; and where it is drawn."""


def describe_measure(measure: Measure) -> dict[str, Any]:
    """Plain JSON types. lines_lps_mm: polylines, each a list of points in patient LPS millimetres."""
    lines = [np.round(flip_ras_lps(line), 2).tolist() for line in measure.lines]
    return {
        "place": measure.place,
        "side": measure.side,
        "key": measure.key,
        "title": measure.title,
        "value": _rounded(measure.value),
        "unit": measure.unit,
        "uncertainty": _rounded(measure.uncertainty),
        "support": _rounded(measure.support),
        "missing": measure.missing,
        "structures": list(measure.structures),
        "lines_lps_mm": lines,
    }


def write_measures_csv(rows: Sequence[dict[str, Any]], path: Path | str) -> Path:
    """The rows of `describe_measure` as UTF-8 CSV; an empty cell is what is not known. Points of a line are joined by
    spaces and semicolons, lines by bars. InputError: unwritable folder."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([_cell(name, row[name]) for name in COLUMNS] for row in rows)
    return Path(path)


def _cell(name: str, value: Any) -> Any:
    if name == "structures":
        return " ".join(value)
    if name == "lines_lps_mm":
        return " | ".join("; ".join(" ".join(f"{c:g}" for c in point) for point in line) for line in value)
    return "" if value is None else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3)
