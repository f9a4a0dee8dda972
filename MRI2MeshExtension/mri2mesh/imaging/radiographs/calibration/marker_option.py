"""Markers of known size as a user writes them: what it is, how large, and where it was picked.

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
from dataclasses import replace
from pathlib import Path

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.calibration.calibration import Calibration, calibrate_marker, calibrated
from mri2mesh.imaging.radiographs.calibration.markers import Marker, Point
from mri2mesh.imaging.radiographs.markups_file import read_markups
from mri2mesh.imaging.radiographs.picked_landmarks import pixels_in_image
from mri2mesh.imaging.radiographs.radiograph import Radiograph

KINDS = ("wire", "sphere", "length", "intensifier")
SYNTAX = f"KIND:MM@COLUMN,ROW,COLUMN,ROW, as wire:2.5@400,763,700,374 (kinds: {', '.join(KINDS)})"
CONTRADICTION = 0.1
"""Relative difference of the scale: more than what wires, balls and picking leave open, and a known spacing contradicts
the marker."""


def calibrated_by(text: str, radiograph: Radiograph, image: str | Path) -> Radiograph:
    """The radiograph with the pixel spacing that a marker gives, how it was measured in its metadata.

    image: its file, in which a markups file's points lie. A spacing known before is replaced as `with_scale` does.
    Raises InputError for what is no marker, or is not found in the image.
    """
    marker, distance_mm = read_marker(text, image)
    return with_scale(radiograph, calibrate_marker(radiograph, marker), distance_mm)


def with_scale(radiograph: Radiograph, measured: Calibration, distance_mm: float | None = None) -> Radiograph:
    """The radiograph calibrated, with a warning more where a spacing known before contradicts the marker.

    distance_mm: of the marker from the source, as in `calibrated`, and as that raises.
    """
    result = calibrated(radiograph, measured, distance_mm)
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


def read_marker(text: str, image: str | Path) -> tuple[Marker, float | None]:
    """A marker and its distance from the source in mm, None where that is not given.

    image: as in `calibrated_by`. Raises InputError for a description that is not one.
    """
    kind, _, rest = text.partition(":")
    size, *places = rest.split("@")
    wanted = 0 if kind == "intensifier" else 1
    if kind not in KINDS or not wanted <= len(places) <= wanted + 1:
        raise InputError(f"{text!r} names no marker: write {SYNTAX}")
    points = _points(places[0], text, image) if wanted else ()
    size_mm = _number(size, text)
    distance_mm = _number(places[wanted], text) if len(places) > wanted else None
    if kind == "sphere":
        return Marker(kind, size_mm, points[:1], math.dist(*points)), distance_mm
    return Marker(kind, size_mm, points), distance_mm


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
        raise InputError(f"{text!r} does not give two points: write {SYNTAX}")
    return (numbers[0], numbers[1]), (numbers[2], numbers[3])


def _number(value: str, text: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{value!r} in {text!r} is no number: write {SYNTAX}")
    return number
