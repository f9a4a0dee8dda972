"""Signed errors of the walls and extents, for each collection by itself: collections are labelled differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from mri2mesh.evaluation.lumbar_mri.scores import Score


@dataclass(frozen=True)
class WallTable:
    """Medians over the structures of a kind found in a collection's exams by one method; n: how many those are.

    Millimetres outside the label (inside: negative), and extents as ratios to the label's. assd_mm: of the whole
    surface; without_sides_mm: of the label but its sides.
    """

    collection: str
    kind: str
    method: str
    n: int
    assd_mm: float
    without_sides_mm: float
    left_mm: float
    right_mm: float
    front_mm: float
    back_mm: float
    top_mm: float
    bottom_mm: float
    width_ratio: float
    depth_ratio: float
    height_ratio: float


def wall_tables(scores: Sequence[Score], collections: dict[str, str]) -> list[WallTable]:
    """One table per collection, kind and method, in the order of the scores; collections: by exam."""
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for score in scores:
        if score.called is not None:
            groups.setdefault((collections[score.exam], score.kind, score.method), []).append(score)
    names = [field.name for field in fields(WallTable)][4:]
    return [
        WallTable(*key, len(rows), *(_median([getattr(row, name) for row in rows]) for name in names))
        for key, rows in groups.items()
    ]


def _median(values: list[float]) -> float:
    seen = [value for value in values if np.isfinite(value)]
    return float(np.median(seen)) if seen else float("nan")


def describe_walls(tables: Sequence[WallTable]) -> str:
    """The tables as lines of text."""
    lines = [
        "by collection: mm outside the label (inside: negative) at its left, right, front, back, top and bottom wall;"
        " width, depth and height as ratios to the label's; ASSD; mean distance but for the sides"
    ]
    for t in tables:
        walls = " ".join(
            f"{value:+5.2f}"
            for value in (t.left_mm, t.right_mm, t.front_mm, t.back_mm, t.top_mm, t.bottom_mm)
        )
        ratios = " ".join(f"{value:.3f}" for value in (t.width_ratio, t.depth_ratio, t.height_ratio))
        lines.append(
            f"  {t.collection:<8} {t.kind:<5} {t.method:<24} n {t.n:>4}  {walls}  {ratios}"
            f"  {t.assd_mm:.2f}  {t.without_sides_mm:.2f}"
        )
    return "\n".join(lines)
