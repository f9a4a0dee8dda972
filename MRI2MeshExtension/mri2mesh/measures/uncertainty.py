"""The uncertainty of measures from that of the surfaces: the same formulas on surfaces that are displaced at random.

A vertex's standard deviation is known, not how errors go together from vertex to vertex. They are taken as a smooth
random field: its three components are independent, normal, with the vertex's standard deviation, and the correlation
of two places at distance d is exp(-d^2 / 2 r^2), where r is the reach of an error. A field of long reach moves the
whole surface, which no height or radius notices; one of short reach averages out. Random Fourier features make it
(Rahimi and Recht, Random features for large-scale kernel machines, 2007).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mri2mesh.measures.measure import Taken

SAMPLES = 48
"""Displaced surfaces: the standard deviation of so many is itself right within 10%."""
FEATURES = 64
REACH_MM = 5.0
"""Reach of the errors of a surface where its engine says no other: what makes the errors of measures on synthetic exams
likeliest (``Testing/benchmarks/errors_of_measures.py``)."""

REACH_OF_A_PLACED_BONE_MM = 100.0
"""Reach where what is uncertain is the pose of a whole bone and the coefficients of its shape model: errors go together
over a large part of it."""


def displaced(
    name: str, vertices: NDArray, uncertainty_mm: NDArray, reach_mm: float = REACH_MM, samples: int = SAMPLES
) -> NDArray[np.float64]:
    """[S, V, 3] of vertices [V, 3] with uncertainty [V]; always the same for a name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    points = np.asarray(vertices, dtype=np.float64)
    spread = np.nan_to_num(np.asarray(uncertainty_mm, dtype=np.float64))
    moved = np.empty((samples, *points.shape))
    for sample in range(samples):
        waves = rng.standard_normal((3, FEATURES)) / reach_mm
        phases = points @ waves
        # cosine and sine of each wave, with independent normal weights: a normal field of variance 1
        weights = rng.standard_normal((2, FEATURES, 3)) / np.sqrt(FEATURES)
        field = np.cos(phases) @ weights[0] + np.sin(phases) @ weights[1]
        moved[sample] = points + spread[:, None] * field
    return moved


def uncertainties(
    measures: Sequence[Taken],
    vertices: Mapping[str, NDArray],
    uncertainty_mm: Mapping[str, NDArray],
    reach_mm: float = REACH_MM,
) -> list[float]:
    """One standard deviation of each measure, in its unit; NaN where it is missing or a surface has none.

    Only the vertices that measures are taken from are displaced.
    """
    used: dict[str, set[int]] = {}
    for taken in measures:
        for points in taken.points:
            used.setdefault(points.structure, set()).update(points.vertices.ravel().tolist())
    positions: dict[str, NDArray] = {}
    for name, chosen in used.items():
        rows = np.array(sorted(chosen))
        given = np.asarray(uncertainty_mm[name], dtype=np.float64)[rows]
        full = np.full((SAMPLES, len(vertices[name]), 3), np.nan)
        if np.isfinite(given).any():
            full[:, rows] = displaced(name, vertices[name][rows], given, reach_mm)
        positions[name] = full
    return [_spread(taken, positions) for taken in measures]


def _spread(taken: Taken, positions: Mapping[str, NDArray]) -> float:
    if taken.missing:
        return float("nan")
    points = [one.of(positions[one.structure]) for one in taken.points]
    if not all(np.isfinite(one).all() for one in points):
        return float("nan")
    return float(np.std(taken.formula(*points), ddof=1))
