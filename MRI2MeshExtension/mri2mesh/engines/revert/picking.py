"""A vertebra that the user points at: ``L3@column,row`` says that the body at this pixel of the radiograph is L3."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph

HOW = (
    "write it as L3@column,row: the level, and a pixel inside its vertebral body, the first pixel's centre being 0,0; "
    "L3@column,row,column,row for a box around the vertebra; L3@x,y,z for a point in the patient, RAS mm"
)


@dataclass(frozen=True)
class Pick:
    """name: of `VERTEBRAE`. pixel: (column, row) of the radiograph as it is stored. counts: whether the names of all
    others are counted from it."""

    name: str
    pixel: tuple[float, float]
    counts: bool = False


def parse_level(text: str, radiograph: Radiograph) -> Pick:
    """The vertebra in a text such as ``L3@512,430``. Raises InputError for anything else, and outside the image."""
    name, at, numbers = text.partition("@")
    try:
        values = [float(value) for value in numbers.split(",")]
    except ValueError:
        values = []
    if not at or len(values) not in (2, 3, 4) or not all(map(math.isfinite, values)):
        raise InputError(f"--level {text[:60]!r} is not a level in the image: {HOW}")
    if len(values) == 4:
        values = [(values[0] + values[2]) / 2, (values[1] + values[3]) / 2]
    if len(values) == 3:
        values = list(radiograph.camera.project(np.array(values)))
    pick = _checked(name.strip().upper(), (float(values[0]), float(values[1])), radiograph, "--level")
    return replace(pick, counts=True)


def picks_of(landmarks: Sequence[Mapping[str, tuple[float, float]]], radiograph: Radiograph) -> list[Pick]:
    """Of landmarks of the one radiograph, named by their levels. Raises InputError for other names."""
    found = [
        _checked(name.strip().upper(), pixel, radiograph, "--landmarks")
        for marks in landmarks[:1]
        for name, pixel in (marks or {}).items()
    ]
    return sorted(found, key=lambda pick: VERTEBRAE.index(pick.name))


def ray_point(pick: Pick, camera: XrayCamera) -> NDArray[np.float64]:
    """[3] RAS mm, a point on the ray through the pick's pixel of the camera."""
    ray = np.linalg.solve(camera.matrix[:, :3], [*pick.pixel, 1.0])
    beam = ray / np.linalg.norm(ray) * np.sign(ray @ camera.axes_ras[2])
    return np.asarray(camera.source_ras_mm + beam * camera.source_to_detector_mm)


def _checked(name: str, pixel: tuple[float, float], radiograph: Radiograph, option: str) -> Pick:
    if name not in VERTEBRAE:
        raise InputError(f"{option} knows {VERTEBRAE[0]} to {VERTEBRAE[-1]}, not {name[:20]!r}")
    rows, columns = radiograph.pixels.shape
    column, row = pixel
    if not (-0.5 <= column <= columns - 0.5 and -0.5 <= row <= rows - 0.5):
        raise InputError(
            f"{option}: the place given for {name} lies outside the radiograph of {columns} x {rows} pixels: "
            "click inside it"
        )
    return Pick(name, (float(column), float(row)))
