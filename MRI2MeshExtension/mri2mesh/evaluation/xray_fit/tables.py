"""The results of fits to radiographs as files: every run, a summary for programs, a table for people."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mri2mesh.evaluation.xray_fit.scores import FitScore, summarise

COLUMNS = {
    "raw_assd_mm": "ASSD raw",
    "raw_hd95_mm": "HD95 raw",
    "raw_hd_mm": "HD raw",
    "rigid_assd_mm": "ASSD rigid",
    "similarity_assd_mm": "ASSD similarity",
    "similarity_hd95_mm": "HD95 similarity",
    "mean_assd_mm": "mean shape ASSD",
    "mean_hd95_mm": "mean shape HD95",
    "floor_assd_mm": "floor ASSD",
    "floor_hd95_mm": "floor HD95",
    "in_plane_deg": "in plane, deg",
    "out_of_plane_deg": "out of plane, deg",
    "across_mm": "across beam",
    "along_mm": "along beam",
    "seconds": "s",
}
"""Measure -> heading; lengths in mm."""

HONESTY = {
    "error_mm": "error RMS",
    "stated_mm": "stated RMS",
    "normalised_along": "error / stated along beam, RMS",
    "normalised_across": "across, RMS",
}
"""Measure to heading for columns that show the root mean square over the fits: 1 where what is stated is right."""


def of_conditions(scores: Sequence[FitScore]) -> dict[str, list[FitScore]]:
    """The scores by condition, in their order."""
    names = dict.fromkeys(score.condition for score in scores)
    return {name: [score for score in scores if score.condition == name] for name in names}


def markdown(scores: Sequence[FitScore], anatomy: str) -> str:
    """One row for each condition: medians, and ranges in brackets; then root mean squares; how many
    passed all checks, and how many of those are further off than twice what they state."""
    lines = [
        f"{anatomy}, left out of its own model; median (range), mm",
        "",
        "| condition | n | "
        + " | ".join([*COLUMNS.values(), *HONESTY.values()])
        + " | passed | passed, error over twice stated |",
        "|---" * (len(COLUMNS) + len(HONESTY) + 4) + "|",
    ]
    for name, rows in of_conditions(scores).items():
        summary = summarise(rows)
        cells = [
            f"{summary[key]['median']:.2f} ({summary[key]['least']:.2f} to {summary[key]['most']:.2f})"
            for key in COLUMNS
        ]
        cells += [f"{summary[key]['rms']:.2f}" for key in HONESTY]
        passed = [row for row in rows if row.passed]
        wrong = sum(row.error_mm > 2 * row.stated_mm for row in passed)
        cells += [str(len(passed)), str(wrong)]
        lines.append(f"| {name} | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write(scores: Sequence[FitScore], anatomy: str, seed: int, out: Path) -> None:
    """runs.csv, summary.json and summary.md in a folder, which is made if it is not there."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [asdict(score) for score in scores]
    with (out / "runs.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    conditions = {name: summarise(group) for name, group in of_conditions(scores).items()}
    summary = {"anatomy": anatomy, "seed": seed, "conditions": conditions}
    (out / "summary.json").write_text(json.dumps(summary, indent=1))
    (out / "summary.md").write_text(markdown(scores, anatomy))
