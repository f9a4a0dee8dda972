"""Markers of known size as a user names them: what it is, how large, and where it was picked.

    KIND:MM@POINTS[@DISTANCE]

    wire:2.5@400,763,700,374       a straight wire or pin of 2.5 mm, two points on its axis
    sphere:25@310,420,352,420      a ball of 25 mm: its centre and a point on its rim
    length:100@120,80,505,92       two points that are 100 mm apart
    intensifier:229                the round field of an image intensifier, in the plane of the detector

Points are column,row pairs in pixels of the image, the first pixel's centre being 0,0; or the name of a markups file of
3D Slicer (``wire:2.5@wire.mrk.json``) whose first two points were picked in the image. DISTANCE: of the marker from
the source, mm; without it the marker lies as far from it as the isocentre does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from mri2mesh.errors import InputError
from mri2mesh.imaging.calibration import (
    Calibration,
    Kind,
    Point,
    calibrate_intensifier,
    calibrate_length,
    calibrate_sphere,
    calibrate_wire,
    calibrated,
)
from mri2mesh.imaging.markups_file import read_markups
from mri2mesh.imaging.picked_landmarks import pixels_in_image
from mri2mesh.imaging.radiograph import Radiograph

SYNTAX = (
    "KIND:MM@COLUMN,ROW,COLUMN,ROW, as wire:2.5@400,763,700,374 (kinds: wire, sphere, length, intensifier)"
)
CONTRADICTION = 0.1
"""Of the scale: more than what wires, balls and picking leave open, and a known spacing contradicts the marker."""


@dataclass(frozen=True)
class Marker:
    """size_mm: diameter or length. points: (column, row) of two picked points, none of an intensifier.
    source_to_marker_mm: None where it is not known."""

    kind: Kind
    size_mm: float
    points: tuple[Point, ...] = ()
    source_to_marker_mm: float | None = None

    def measure(self, radiograph: Radiograph) -> Calibration:
        """What the marker tells of the scale. Raises InputError where it is not found."""
        if self.kind == "intensifier":
            return calibrate_intensifier(radiograph, self.size_mm)
        first, second = self.points
        if self.kind == "sphere":
            return calibrate_sphere(radiograph, first, math.dist(first, second), self.size_mm)
        method = calibrate_wire if self.kind == "wire" else calibrate_length
        return method(radiograph, first, second, self.size_mm)

    def calibrate(self, radiograph: Radiograph) -> Radiograph:
        """The radiograph with the pixel spacing that the marker gives, how it was measured in its metadata.

        A spacing known before is replaced; a warning says so where the two contradict each other. Raises InputError.
        """
        measured = self.measure(radiograph)
        result = calibrated(radiograph, measured, self.source_to_marker_mm)
        method = f"{measured.method}, within {100 * measured.relative_uncertainty:.0f}%"
        result = replace(result, metadata={**radiograph.metadata, "calibration": method})
        if not radiograph.scale_known:
            return result
        before, after = (one.geometry.pixel_spacing_mm.value[1] for one in (radiograph, result))
        if abs(after / before - 1) <= max(CONTRADICTION, 2 * measured.relative_uncertainty):
            return result
        note = (
            f"the marker makes pixels {after:.3f} mm and the geometry said {before:.3f} mm: the marker is believed; "
            "check its size and where it lies"
        )
        return replace(result, warnings=(*result.warnings, note))


def read_marker(text: str, image: str | Path) -> Marker:
    """A marker from its description, see above. image: the radiograph's file, in which a markups file's points lie.

    Raises InputError for a description that is not one.
    """
    kind, _, rest = text.partition(":")
    size, *places = rest.split("@")
    wanted = 0 if kind == "intensifier" else 1
    if kind not in get_args(Kind) or not wanted <= len(places) <= wanted + 1:
        raise InputError(f"{text!r} names no marker: write {SYNTAX}")
    points = _points(places[0], text, image) if wanted else ()
    distance = _number(places[wanted], text) if len(places) > wanted else None
    return Marker(kind, _number(size, text), points, distance)  # type: ignore[arg-type]


def _points(place: str, text: str, image: str | Path) -> tuple[Point, ...]:
    if place.endswith(".json"):
        picked = pixels_in_image(read_markups(place), image)
        if picked is None or len(picked) < 2:
            raise InputError(
                "a marker's markups file holds two points picked in the radiograph: pick them there"
            )
        return tuple(picked.values())[:2]
    numbers = [_number(one, text) for one in place.split(",")]
    if len(numbers) != 4:
        raise InputError(f"{text!r} does not tell two points: write {SYNTAX}")
    return (numbers[0], numbers[1]), (numbers[2], numbers[3])


def _number(value: str, text: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{value!r} in {text!r} is no number: write {SYNTAX}")
    return number
