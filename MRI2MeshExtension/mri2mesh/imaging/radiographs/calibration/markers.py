"""What of known size was marked in a radiograph."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
"""(column, row) in pixels."""


@dataclass(frozen=True)
class Marker:
    """kind: ``"sphere"`` (its centre and rough radius), ``"wire"`` or ``"length"`` (two points), or ``"intensifier"``
    (none). size_mm: diameter, or length."""

    kind: str
    size_mm: float
    points_px: tuple[Point, ...] = ()
    radius_px: float | None = None
