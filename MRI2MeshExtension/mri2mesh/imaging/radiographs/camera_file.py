"""camera.json: the geometry of one radiograph, written by hand or by this program.

Keys, none of them compulsory; what is left out is assumed, and said to be:

    source_to_detector_mm    number
    source_to_isocentre_mm   number
    pixel_spacing_mm         [between rows, between columns], at the detector; without it the scale is unknown
    size                     [rows, columns]; must be that of the image
    principal_point_px       [column, row], where the perpendicular from the source meets the detector
    primary_angle_deg        DICOM Positioner Primary Angle, + towards LAO; 0: detector in front, 180: behind
    secondary_angle_deg      DICOM Positioner Secondary Angle, + cranial
    isocentre_ras_mm         [x, y, z]
    seen_from                "front" (as radiographs are hung), "detector" or "source"
    image_rotation_deg       0, 90, 180 or 270: how far the image, seen so, was turned clockwise
    origin                   {"pixel_spacing_mm": "calibrated", ...}: for values that are not the user's own
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.xray_geometry import (
    WORDS,
    Known,
    Origin,
    XrayGeometry,
    assumed_geometry,
    with_distances,
)
from mri2mesh.json_file import read_json


def read_camera(
    path: str | Path, size: tuple[int, int], kind: Literal["c-arm", "table"] = "table"
) -> XrayGeometry:
    """The geometry in camera.json for an image of `size` (rows, columns); origin `user` unless it says more.

    kind: what to assume where the file says nothing. Raises InputError for a file that is missing or not
    JSON, an unknown key, a value of the wrong kind, or a size that is not that of the image.
    """
    try:
        content = read_json(path)
    except OSError as error:
        raise InputError("the camera file cannot be read: check its path") from error
    except ValueError as error:
        raise InputError("the camera file is not JSON: compare it with the example in README.md") from error
    if not isinstance(content, dict):
        raise InputError('the camera file must hold one object: {"source_to_detector_mm": 1000, ...}')
    origins = _origins(content.pop("origin", {}))
    known = {name: Known(_value(name, value), origins.get(name, "user")) for name, value in content.items()}
    given = known.pop("size", None)
    if given is not None and given.value != size:
        raise InputError(
            f"the camera file is for an image of {given.value[0]} x {given.value[1]} pixels (rows x columns), "
            f"this one has {size[0]} x {size[1]}: give the camera file of this image"
        )
    geometry = with_distances(
        assumed_geometry(size, kind),
        known.pop("source_to_detector_mm", None),
        known.pop("source_to_isocentre_mm", None),
    )
    for name, value in known.items():
        geometry = geometry.with_values(value.origin, **{name: value.value})
    return geometry


def write_camera(path: str | Path, geometry: XrayGeometry) -> None:
    """Writes what is known: assumed values are left out, so that reading it back does not make them known."""
    content: dict[str, Any] = {}
    for name in WORDS:
        value = getattr(geometry, name).value
        if geometry.origins[name] != "default":
            content[name] = list(value) if isinstance(value, tuple) else value
    content["origin"] = {name: geometry.origins[name] for name in content if geometry.origins[name] != "user"}
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _value(name: str, value: Any) -> Any:
    """The value in its type. Raises InputError for an unknown key or a value of the wrong kind."""
    if name not in CHECKS:
        raise InputError(
            f"the camera file has an unknown key {name[:40]!r}: the keys are {', '.join(CHECKS)}"
        )
    what, check = CHECKS[name]
    checked = check(value)
    if checked is None:
        raise InputError(f"{name} in the camera file must be {what}: correct it, or leave it out if unknown")
    return checked


def _origins(content: Any) -> dict[str, Origin]:
    known = isinstance(content, dict) and all(
        name in WORDS and origin in get_args(Origin) for name, origin in content.items()
    )
    if not known:
        raise InputError(
            f"origin in the camera file must name keys of it, each {', '.join(get_args(Origin))}"
        )
    return dict(content)


def _number(value: Any) -> float | None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None


def _positive(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _list_of(length: int, check: Callable[[Any], Any]) -> Callable[[Any], tuple | None]:
    def checked(value: Any) -> tuple | None:
        if not isinstance(value, list) or len(value) != length:
            return None
        items = tuple(check(item) for item in value)
        return None if None in items else items

    return checked


def _whole(value: Any) -> int | None:
    number = _positive(value)
    return int(number) if number is not None and number.is_integer() and number < 1e9 else None


def _one_of(*choices: Any) -> Callable[[Any], Any]:
    return lambda value: value if value in choices and not isinstance(value, bool) else None


CHECKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "source_to_detector_mm": ("a positive number", _positive),
    "source_to_isocentre_mm": ("a positive number", _positive),
    "pixel_spacing_mm": ("two positive numbers [rows, columns]", _list_of(2, _positive)),
    "size": ("two whole numbers [rows, columns]", _list_of(2, _whole)),
    "principal_point_px": ("two numbers [column, row]", _list_of(2, _number)),
    "primary_angle_deg": ("a number", _number),
    "secondary_angle_deg": ("a number", _number),
    "isocentre_ras_mm": ("three numbers", _list_of(3, _number)),
    "seen_from": ('"front", "detector" or "source"', _one_of("front", "detector", "source")),
    "image_rotation_deg": ("0, 90, 180 or 270", _one_of(0, 90, 180, 270)),
}
"""Key to what it must be, in words, and its check: the value in its type, or None."""
