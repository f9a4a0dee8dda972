"""The surfaces of a report's interactive view: decimated, quantised, as JSON that a page can hold."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import fast_simplification
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.doubtful_levels import shown_colour, shown_name
from mri2mesh.geometry.coordinates import flip_ras_lps
from mri2mesh.geometry.mesh import Mesh

FACES = 36_000
"""Of all surfaces together: about 0.6 MB of page."""
MOST, LEAST = 6_000, 1_000
"""Of one surface."""


def view_3d_data(
    report: Mapping[str, Any], meshes: Mapping[str, Mesh], values: Mapping[str, tuple[NDArray, NDArray]]
) -> dict[str, Any]:
    """What `templates/viewer.js` draws. meshes: RAS mm by the names in the report. values: of each, [V] uncertainty in
    mm and [V] support.

    Positions are 16-bit steps over the box of all surfaces, values 8-bit shares of the largest; lines of measures are
    millimetres. Empty where there is no surface.
    """
    shown = [row for row in report["structures"] if row["name"] in meshes]
    if not shown:
        return {}
    points = np.concatenate([meshes[row["name"]].vertices for row in shown])
    low, high = points.min(axis=0), points.max(axis=0)
    spread = [values[row["name"]][0] for row in shown]
    most = max((float(np.nanpercentile(one, 99)) for one in spread if np.isfinite(one).any()), default=0.0)
    certain = (report.get("levels") or {"certain": True})["certain"]
    budget = int(np.clip(FACES / len(shown), LEAST, MOST))
    step = float((high - low).max()) / 65535.0 or 1.0
    structures = []
    for row in shown:
        mesh = meshes[row["name"]]
        vertices, faces = _fewer(mesh, budget)
        nearest = cKDTree(mesh.vertices).query(vertices)[1]
        uncertainty, support = (np.asarray(one, float)[nearest] for one in values[row["name"]])
        structures.append(
            {
                "name": shown_name(row["name"], row["kind"], certain),
                "colour": list(shown_colour(row["kind"], tuple(row["colour"]), certain)),
                "positions": _packed(np.round((vertices - low) / step), np.uint16),
                "faces": _packed(faces, np.uint16),
                "uncertainty": _packed(
                    255 * np.clip(np.nan_to_num(uncertainty) / (most or 1.0), 0, 1), np.uint8
                ),
                "support": _packed(255 * np.clip(np.nan_to_num(support), 0, 1), np.uint8),
            }
        )
    return {
        "origin": [round(float(value), 3) for value in low],
        "step": step,
        "most_uncertain_mm": round(most, 2) if report["scale_known"] else None,
        "structures": structures,
        "measures": [_lines(row["lines_lps_mm"]) for row in report.get("measures", [])],
    }


def _fewer(mesh: Mesh, count: int) -> tuple[NDArray, NDArray]:
    """Quadric edge collapse to so many faces; vertices [V, 3] and faces [F, 3]."""
    if len(mesh.faces) <= count:
        return mesh.vertices, mesh.faces
    vertices, faces = fast_simplification.simplify(
        mesh.vertices.astype(np.float32),
        mesh.faces.astype(np.int32),
        target_reduction=1 - count / len(mesh.faces),
    )
    return vertices, faces


def _packed(values: NDArray, kind: Any) -> str:
    little = np.dtype(kind).newbyteorder("<")
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).astype(little).tobytes()).decode("ascii")


def _lines(lines: Sequence[Any]) -> list[list[list[float]]]:
    return [np.round(flip_ras_lps(np.array(line, dtype=float)), 2).tolist() for line in lines]
