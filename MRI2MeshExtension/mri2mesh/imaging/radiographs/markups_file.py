"""Landmarks from a 3D Slicer markups file (``.mrk.json``): named points in patient RAS."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.limits import FARTHEST_MM
from mri2mesh.json_file import read_json

Point = tuple[float, float, float]

TO_RAS: dict[str, tuple[int, int, int]] = {
    "LPS": (-1, -1, 1),
    "0": (1, 1, 1),
    "RAS": (1, 1, 1),
    "1": (-1, -1, 1),
}
"""Coordinate systems as Slicer writes them (its numbers: 0 RAS, 1 LPS) to the signs that make them RAS."""


def read_markups(path: str | Path) -> dict[str, Point]:
    """Label -> position, RAS mm, of every placed control point of every list in the file.

    A point without a position (not placed, or skipped) is left out. Raises InputError for a file that is missing or no
    markups file, for a label that stands twice, and for a file without points.
    """
    try:
        content = read_json(path)
    except OSError as error:
        raise InputError("the landmarks file cannot be read: check its path") from error
    except ValueError as error:
        raise InputError("the landmarks file is not JSON: save it from Slicer as .mrk.json") from error
    found: dict[str, Point] = {}
    try:
        for markup in content["markups"]:
            signs = TO_RAS[str(markup.get("coordinateSystem", "LPS")).upper()]
            for point in markup["controlPoints"]:
                if point.get("positionStatus", "defined") != "defined" or not point.get("position"):
                    continue
                label = str(point["label"]).strip()
                if label in found:
                    raise InputError(
                        f"the landmark {label[:40]!r} stands twice in the landmarks file: keep one"
                    )
                found[label] = _position(point["position"], signs)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "the landmarks file is not a markups file of 3D Slicer: save point lists as .mrk.json"
        ) from error
    if not found:
        raise InputError("the landmarks file holds no placed points: place them and save again")
    return found


def _position(values: Any, signs: tuple[int, int, int]) -> Point:
    x, y, z = (sign * float(value) for sign, value in zip(signs, values, strict=True))
    if not all(math.isfinite(value) and abs(value) <= FARTHEST_MM for value in (x, y, z)):
        raise ValueError("a coordinate is not a finite number, or farther away than any patient")
    return x, y, z
