"""A job's JSON as a `Request`; what does not fit is said in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mri2mesh.engines.kinds import OF_EVERY_RUN
from mri2mesh.engines.options import Flag
from mri2mesh.engines.registry import options_by_name
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.calibration.markers import Marker
from mri2mesh.request import Request


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("a text")
    return value


def path(value: Any) -> Path:
    try:
        return Path(text(value))
    except ValueError:
        raise ValueError("a path") from None


def paths(value: Any) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise ValueError("a list")
    return tuple(path(item) for item in value)


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("a JSON object")
    return dict(value)


def converters() -> dict[str, Callable[[Any], Any]]:
    """The options of the jobs and what makes their values: those that the engines declare, those of every run, and
    the worker's own; null stands for one that is left out."""
    declared = [found[0][1] for found in options_by_name().values()]
    return {
        **{option.name: option.from_json for option in (*declared, *OF_EVERY_RUN)},
        "live": Flag("live", help="surfaces while they are being found").from_json,
        "marker": mapping,
    }


def inputs_of(message: Mapping[str, Any]) -> tuple[Path, ...]:
    """Raises InputError where none is named."""
    found: tuple[Path, ...] = converted("inputs", paths, message.get("inputs"))
    if not found:
        raise InputError("the request names no input")
    return found


def options_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, converted. Raises InputError for an unknown or unfit one."""
    given = message.get("options") or {}
    if not isinstance(given, Mapping):
        raise InputError("the options of a request must be a JSON object")
    known = converters()
    if unknown := [name for name in given if name not in known]:
        raise InputError(f"unknown option {unknown[0]!r}: use one of {', '.join(known)}")
    return {name: converted(name, known[name], value) for name, value in given.items() if value is not None}


def engine_of(message: Mapping[str, Any]) -> str | None:
    engine = message.get("engine")
    return None if engine is None else str(converted("engine", text, engine))


def reconstruction_of(message: Mapping[str, Any]) -> tuple[Request, bool]:
    """The request, and whether surfaces are wanted while it runs. Raises InputError."""
    options = options_of(message)
    live = options.pop("live", False)
    if "marker" in options:
        raise InputError("a marker is for the command calibrate: leave it out")
    out = converted("out", path, message.get("out"))
    every = {option.name: options.pop(option.name) for option in OF_EVERY_RUN if option.name in options}
    return Request(inputs_of(message), out, engine_of(message), options=options, **every), live


def marker_of(options: Mapping[str, Any]) -> Marker:
    """What of known size is in the image, and where. Raises InputError where it does not say."""
    given = options.get("marker") or {}
    try:
        points = tuple((float(column), float(row)) for column, row in given.get("points_px", ()))
        radius = given.get("radius_px")
        return Marker(
            str(given["kind"]), float(given["size_mm"]), points, None if radius is None else float(radius)
        )
    except (KeyError, TypeError, ValueError):
        raise InputError("a marker needs kind, size_mm and, but for an intensifier, points_px") from None


def converted(name: str, convert: Callable[[Any], Any], value: Any) -> Any:
    """What ``convert`` makes of a value. Raises InputError where it raises ValueError, which says what is wanted."""
    try:
        return convert(value)
    except ValueError as error:
        raise InputError(f"{name} must be {error}") from None
