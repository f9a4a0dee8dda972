"""An export's JSON as an `ExportRequest`; what does not fit is said in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mri2mesh.errors import InputError
from mri2mesh.export.exporting.request import ExportRequest
from mri2mesh.worker.requests import converted, path, text


def texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of texts")
    return tuple(text(item) for item in value)


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number")
    return float(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


OPTIONS: dict[str, Callable[[Any], Any]] = {
    "formats": texts,
    "structures": texts,
    "space": text,
    "edge_length_mm": number,
    "by_curvature": flag,
    "max_displacement_mm": number,
    "quadratic": flag,
    "join": flag,
    "mesher": text,
    "region_materials": flag,
    "cortex_mm": number,
    "unit": text,
}
"""The fields of `ExportRequest` that may be given, and what makes their values; null stands for one left out."""


def export_of(message: Mapping[str, Any]) -> ExportRequest:
    """Raises InputError for a message without source, folder or formats, or with unknown or unfit options."""
    given = message.get("options") or {}
    if not isinstance(given, Mapping):
        raise InputError("the options of a request must be a JSON object")
    if unknown := [name for name in given if name not in OPTIONS]:
        raise InputError(f"unknown option {unknown[0]!r}: use one of {', '.join(OPTIONS)}")
    values = {
        name: converted(name, OPTIONS[name], value) for name, value in given.items() if value is not None
    }
    source = converted("source", path, message.get("source"))
    return ExportRequest(
        source, values.pop("formats", ()), converted("out", path, message.get("out")), **values
    )
