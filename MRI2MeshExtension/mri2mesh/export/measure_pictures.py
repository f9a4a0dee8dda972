"""A picture of the measures of a spine on slices of the image, each drawn where it was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mri2mesh.export.pictures import DPI, OUTLINE, ROW_INCHES, save_figure, show_pixels
from mri2mesh.export.slices import (
    AXIAL,
    CORONAL,
    MARGIN_MM,
    SAGITTAL,
    Slice,
    View,
    body_centre,
    image_bounds,
    take_slice,
)
from mri2mesh.geometry.coordinates import flip_ras_lps
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction

SHOWN: dict[str, tuple[View, str]] = {
    "body_height_anterior": (SAGITTAL, "gold"),
    "body_height_middle": (SAGITTAL, "gold"),
    "body_height_posterior": (SAGITTAL, "gold"),
    "disc_height_anterior": (SAGITTAL, "deepskyblue"),
    "disc_height_middle": (SAGITTAL, "deepskyblue"),
    "disc_height_posterior": (SAGITTAL, "deepskyblue"),
    "superior_endplate_depth": (SAGITTAL, "lightgreen"),
    "inferior_endplate_depth": (SAGITTAL, "lightgreen"),
    "slip": (SAGITTAL, "violet"),
    "canal_depth": (SAGITTAL, "orange"),
    "superior_endplate_width": (CORONAL, "lightgreen"),
    "inferior_endplate_width": (CORONAL, "lightgreen"),
    "pedicle_width": (AXIAL, "orange"),
}
"""Measures that are lines, the plane that they are seen in, and their colour."""
WRITTEN = (
    "body_height_middle",
    "disc_height_middle",
    "canal_depth",
    "superior_endplate_width",
    "pedicle_width",
)
"""Those whose value is written beside them: more would hide the image."""
FARTHEST_MM = 15.0
"""A line farther from the plane, as in a spine that is bent to the side, is not drawn: the image there is of another
place."""
MOST_AXIAL = 4


def write_measures_on_slices(
    reconstruction: Reconstruction, volume: Volume, measures: Sequence[Mapping[str, Any]], path: Path | str
) -> Path | None:
    """PNG of a mid-sagittal, a coronal and axial slices with the lines that lengths were measured along.

    measures: rows of the report. Axial slices go through the pedicles of up to `MOST_AXIAL` vertebrae. Returns None,
    and writes nothing, where no such measure was taken. Raises InputError for an unwritable folder.
    """
    drawn = [
        (row, [flip_ras_lps(np.array(line, dtype=float)) for line in row["lines_lps_mm"]])
        for row in measures
        if row["key"] in SHOWN and row["value"] is not None and row["lines_lps_mm"]
    ]
    slices = _slices(reconstruction, volume, drawn)
    if not slices:
        return None
    dark, bright = np.percentile(volume.array[np.isfinite(volume.array)], [1, 99.5])
    widths = [
        float(np.clip((s.extent[1] - s.extent[0]) / (s.extent[3] - s.extent[2]), 0.3, 1.2)) for s, _ in slices
    ]
    figure = Figure(
        figsize=(ROW_INCHES * sum(widths) + 0.2 * len(slices), ROW_INCHES + 0.4), dpi=DPI, facecolor="black"
    )
    axes = figure.subplots(1, len(slices), width_ratios=widths, squeeze=False)[0]
    for axis, (plane, lines) in zip(axes, slices, strict=True):
        show_pixels(axis, plane, (float(dark), float(bright)))
        for row, own in lines:
            _draw(axis, plane, row, own)
    figure.subplots_adjust(left=0.005, right=0.995, bottom=0.01, top=0.93, wspace=0.03)
    return save_figure(figure, path)


Drawn = tuple[Mapping[str, Any], list[NDArray]]
"""A row of the report, and its polylines [K, 3] in RAS millimetres."""


def _slices(
    reconstruction: Reconstruction, volume: Volume, drawn: Sequence[Drawn]
) -> list[tuple[Slice, list[Drawn]]]:
    """The planes with what is drawn on each; those without any are left out."""
    if not drawn:
        return []
    low, high = image_bounds(volume)
    every = np.concatenate([points for _row, lines in drawn for points in lines])
    box = _box(every, low, high)
    planes: list[tuple[Slice, list[Drawn]]] = []
    for view, title in ((SAGITTAL, "Heights and depths"), (CORONAL, "Widths")):
        own = [one for one in drawn if SHOWN[one[0]["key"]][0] is view]
        if own:
            through = np.median([np.concatenate(lines).mean(axis=0) for _row, lines in own], axis=0)
            plane = take_slice(volume, view, through, title, box)
            planes.append((plane, [one for one in own if _is_near(plane, one[1])]))
    pedicles: dict[str, list[Drawn]] = {}
    for one in drawn:
        if SHOWN[one[0]["key"]][0] is AXIAL:
            pedicles.setdefault(str(one[0]["place"]), []).append(one)
    centres = {item.name: body_centre(item) for item in reconstruction.structures}
    names = list(pedicles)
    first = max(0, (len(names) - MOST_AXIAL + 1) // 2)
    for name in names[first : first + MOST_AXIAL]:
        points = np.concatenate([points for _row, lines in pedicles[name] for points in lines])
        around = _box(np.concatenate([points, centres[name][None]]), low, high)
        plane = take_slice(volume, AXIAL, points.mean(axis=0), f"Pedicles of {name}", around)
        planes.append((plane, [one for one in pedicles[name] if _is_near(plane, one[1])]))
    return [plane for plane in planes if plane[1]]


def _box(points: NDArray, low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
    return np.maximum(points.min(axis=0) - MARGIN_MM, low), np.minimum(points.max(axis=0) + MARGIN_MM, high)


def _is_near(plane: Slice, lines: list[NDArray]) -> bool:
    return bool(np.abs(plane.distance(np.concatenate(lines))).max() <= FARTHEST_MM)


def _draw(axis: Axes, plane: Slice, row: Mapping[str, Any], own: list[NDArray]) -> None:
    colour = SHOWN[row["key"]][1]
    lines = [plane.project(points) for points in own]
    axis.add_collection(LineCollection(lines, colors=[colour], linewidths=1.4, capstyle="butt"))
    if row["key"] in WRITTEN:
        x, y = np.concatenate(lines).mean(axis=0) + ([2.0, 0.0] if plane.view is SAGITTAL else [0.0, 2.5])
        axis.text(
            x,
            y,
            f"{row['value']:.1f}",
            color=colour,
            fontsize=7,
            ha="left" if plane.view is SAGITTAL else "center",
            va="center" if plane.view is SAGITTAL else "bottom",
            path_effects=OUTLINE,
            clip_on=True,
        )
