"""The X-ray geometry of a radiograph, kept with its node and so saved with the scene: every value with its origin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.xray_geometry import WORDS, Known, XrayGeometry, assumed_geometry

GEOMETRY = "MRI2Mesh.XrayGeometry"
"""Node attribute: JSON as in a report, name -> value and origin."""
RECOGNISED = "MRI2Mesh.Recognised"
"""Node attribute: the sentence of what the radiograph is."""
LANDMARKS = "MRI2Mesh.Landmarks"
"""Role of the node reference to the landmarks picked in a radiograph."""


def image_size(node: Any) -> tuple[int, int]:
    """(rows, columns); (0, 0) without an image."""
    image = node.GetImageData()
    columns, rows, _ = image.GetDimensions() if image is not None else (0, 0, 0)
    return rows, columns


def geometry_of(node: Any) -> XrayGeometry:
    """What is known of a radiograph; all assumed where nothing was read or given."""
    text = node.GetAttribute(GEOMETRY)
    if text:
        try:
            return geometry_from_json(json.loads(text))
        except (ValueError, KeyError, TypeError, InputError):
            pass  # an attribute of another version: begin anew
    return assumed_geometry(image_size(node))


def geometry_from_json(content: Mapping[str, Any]) -> XrayGeometry:
    """From name -> {"value", "origin"}. Raises KeyError, TypeError or InputError where it is not a geometry."""
    known: dict[str, Any] = {}
    for name in WORDS:
        value = content[name]["value"]
        known[name] = Known(tuple(value) if isinstance(value, list) else value, content[name]["origin"])
    return XrayGeometry(**known)


def keep_geometry(node: Any, geometry: XrayGeometry) -> None:
    content = {name: _plain(getattr(geometry, name)) for name in WORDS}
    node.SetAttribute(GEOMETRY, json.dumps(content))


def is_known(node: Any) -> bool:
    """Whether anything was read or given for this radiograph."""
    return bool(node.GetAttribute(GEOMETRY))


def _plain(known: Known) -> dict[str, Any]:
    value = list(known.value) if isinstance(known.value, tuple) else known.value
    return {"value": value, "origin": known.origin}
