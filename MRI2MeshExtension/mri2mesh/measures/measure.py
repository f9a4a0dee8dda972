"""A measure, and how it was taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import Side
from mri2mesh.measures.points import Points

Lines = list[NDArray[np.float64]]
"""Polylines [N, 3], patient RAS mm."""


def straight(*points: NDArray) -> Lines:
    """A polyline through each of the groups of points [K, 3]."""
    return list(points)


@dataclass(frozen=True)
class Taken:
    """One measure as a function of points on surfaces.

    key: of `definitions.DEFINITIONS`. place: a structure's name, or two joined (``"L3-L4"``), or ``"pelvis"``.
    formula: of the positions [..., K, 3] of each of ``points`` gives the value [...] in the unit of its definition.
    lines: of the same, [K, 3] each, where to draw it. missing: why it could not be taken; it has no points then.
    """

    key: str
    place: str
    points: tuple[Points, ...] = ()
    formula: Callable[..., NDArray] = field(default=lambda *points: np.full(points[0].shape[:-2], np.nan))
    lines: Callable[..., Lines] = straight
    side: Side | None = None
    missing: str = ""


@dataclass(frozen=True)
class Measure:
    """One measure with its value, or why there is none.

    title, unit: as in its definition (``"mm"``, ``"degrees"``, ``"%"``). uncertainty: one standard deviation, in the
    same unit; None where the surfaces have none. support: 0 to 1, how far the image shows the places it was taken at.
    lines: polylines [N, 3] in patient RAS mm. structures: names of the surfaces it was taken from.
    """

    key: str
    title: str
    place: str
    side: Side | None
    unit: str
    value: float | None
    uncertainty: float | None
    support: float | None
    missing: str
    lines: tuple[NDArray[np.float64], ...]
    structures: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a reader has it: ``"27.3 ± 0.8 mm"``, or a dash."""
        return measure_text(self.value, self.uncertainty, self.unit)


SHOWN_UNITS = {"mm": " mm", "degrees": "°", "%": " %"}


def measure_text(value: float | None, uncertainty: float | None, unit: str) -> str:
    """A value with its uncertainty, one decimal each."""
    if value is None:
        return "–"
    spread = "" if uncertainty is None else f" ± {uncertainty:.1f}"
    return f"{value:.1f}{spread}{SHOWN_UNITS[unit]}"


def unit_vector(vectors: NDArray) -> NDArray[np.float64]:
    """[..., 3] of length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def distance(*groups: NDArray) -> NDArray[np.float64]:
    """[...] from the first to the second of the points [..., 2, 3], given in one group or in two of one point."""
    points = np.concatenate(groups, axis=-2)
    return np.linalg.norm(points[..., 1, :] - points[..., 0, :], axis=-1)


def mean_lines(parts: Sequence[Any]) -> Lines:
    """The polylines of several drawings together."""
    return [line for part in parts for line in part]
