"""Pictures of a reconstruction for its report: contours on slices, and the surfaces from two sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from mri2mesh.anatomy.doubtful_levels import shown_colour, shown_name
from mri2mesh.atomic import whole_file
from mri2mesh.export.shaded import ANTERIOR, LEFT_LATERAL, Camera, shade
from mri2mesh.export.slices import Slice, body_centre, standard_slices
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction

DPI = 110
ROW_INCHES = 5.2
OUTLINE = [withStroke(linewidth=2, foreground="black")]
_CENTRED: dict[str, Any] = {"ha": "center", "va": "center"}
_MARGIN_MM = 12.0
_NAMES_SHARE = 0.1
"""Of the height of the surfaces: room for their names, for the picture of a tall bone is smaller."""


def write_contours(reconstruction: Reconstruction, volume: Volume, path: Path | str) -> Path:
    """PNG of sagittal (right, middle, left), coronal and axial slices with the contours of every structure.

    Planes are cut along the patient's axes and drawn true to scale whatever the voxels' shape; the contours
    are the exact intersections of the surfaces with the planes. Raises InputError for an unwritable folder.
    """
    slices = standard_slices(reconstruction, volume)
    dark, bright = np.percentile(volume.array[np.isfinite(volume.array)], [1, 99.5])
    ratios = [(s.extent[1] - s.extent[0]) / (s.extent[3] - s.extent[2]) for s in slices]
    widths = np.clip(ratios, 0.3, 1.0)
    figure = Figure(figsize=(ROW_INCHES * widths.sum() + 0.2 * len(slices), ROW_INCHES + 0.4), dpi=DPI)
    figure.patch.set_facecolor("black")
    axes = figure.subplots(1, len(slices), width_ratios=list(widths), squeeze=False)[0]
    for axis, plane in zip(axes, slices, strict=True):
        _draw_slice(axis, plane, reconstruction, (float(dark), float(bright)))
    figure.subplots_adjust(left=0.005, right=0.995, bottom=0.01, top=0.93, wspace=0.03)
    return save_figure(figure, path)


def write_view_3d(reconstruction: Reconstruction, path: Path | str, *, scale_known: bool = True) -> Path:
    """PNG of the surfaces from the front and from the patient's left, at one scale, with a scale bar, or a note that
    the scale is unknown.

    Raises InputError for an unwritable folder.
    """
    vertices = [s.mesh.vertices for s in reconstruction.structures]
    points = np.concatenate(vertices) if vertices else np.array([[-50.0, -50, -50], [50, 50, 50]])
    views = [("From the front", ANTERIOR, "RL"), ("From the left", LEFT_LATERAL, "AP")]
    extents = [_extent(points, camera) for _, camera, _ in views]
    widths = [extent[1] - extent[0] for extent in extents]
    height = extents[0][3] - extents[0][2]
    inches = float(np.clip(height / 32, 3, 7.5))
    figure = Figure(figsize=(inches * sum(widths) / height, inches + 0.4), dpi=DPI)
    figure.patch.set_facecolor("white")
    axes = figure.subplots(1, 2, width_ratios=widths)
    for axis, (title, camera, letters), extent in zip(axes, views, extents, strict=True):
        _draw_view(axis, reconstruction, camera, extent, height / (inches * DPI))
        axis.set_title(title, fontsize=11)
        for place, letter in zip((0.04, 0.96), letters, strict=True):
            axis.text(place, 0.985, letter, transform=axis.transAxes, color="0.4", fontsize=12, **_CENTRED)
    _scale_bar(axes[0], extents[0], scale_known)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.95, wspace=0.02)
    return save_figure(figure, path)


def _draw_slice(
    axis: Axes, plane: Slice, reconstruction: Reconstruction, window: tuple[float, float]
) -> None:
    show_pixels(axis, plane, window)
    for structure in reconstruction.structures:
        segments = plane.contours(structure.mesh)
        if not len(segments):
            continue
        colour, name = _shown(structure, reconstruction)
        axis.add_collection(LineCollection(list(segments), colors=[colour], linewidths=1.2, capstyle="round"))
        if structure.structure.kind == "disc":  # beside it: a disc is too thin to write on
            leftmost = segments.reshape(-1, 2)[segments[..., 0].argmin()]
            _label(axis, leftmost - [2, 0], name, colour, 7, "right")
        elif abs(float(plane.distance(body_centre(structure)))) < plane.depth(structure.mesh) / 2:
            _label(axis, plane.project(body_centre(structure)), name, colour, 9, "center")


def show_pixels(axis: Axes, plane: Slice, window: tuple[float, float]) -> None:
    """A slice in grey, true to scale, with its title and the letters of directions. window: shown black and white."""
    axis.set_facecolor("0.12")
    shown = np.ma.masked_array(plane.pixels, ~plane.seen)
    axis.imshow(shown, cmap="gray", vmin=window[0], vmax=window[1], extent=plane.extent, origin="lower")
    axis.set_xlim(plane.extent[:2])
    axis.set_ylim(plane.extent[2:])
    axis.set_axis_off()
    axis.set_title(plane.title, color="white", fontsize=10)
    narrow = plane.extent[1] - plane.extent[0] < 60  # no room for letters inside
    left, right = (-0.06, 1.06) if narrow else (0.03, 0.97)
    places = ((left, 0.5), (right, 0.5), (0.5, 0.97), (0.5, 0.03))
    for letter, (x, y) in zip(plane.view.letters, places, strict=True):
        style = {**_CENTRED, "path_effects": OUTLINE}
        axis.text(x, y, letter, transform=axis.transAxes, color="gold", fontsize=10, **style)


def _draw_view(
    axis: Axes,
    reconstruction: Reconstruction,
    camera: Camera,
    extent: tuple[float, float, float, float],
    pixel: float,
) -> None:
    structures = reconstruction.structures
    edge = 10 * pixel
    colours = [_shown(structure, reconstruction)[0] for structure in structures]
    image = shade([s.mesh for s in structures], colours, camera, extent, pixel)
    axis.imshow(image, extent=extent, aspect="equal")
    for column, names in _columns(structures, camera).items():
        on_right = column == "right"
        # a line of 10 points, as high as it is on the picture
        line = 1.3 * 10 / 72 * DPI * pixel
        heights = [float(body_centre(one) @ np.array(camera.up, dtype=float)) for one in names]
        for one, height in zip(names, apart(heights, line), strict=True):
            disc = one.structure.kind == "disc"
            colour, name = _shown(one, reconstruction)
            # The dot says which bone is meant where a name stands beside another one.
            dot = extent[1] - edge if on_right else extent[0] + edge
            axis.plot(dot, height, "o", color=colour, markersize=4 if disc else 6, clip_on=False)
            axis.annotate(
                name,
                (dot, height),
                xytext=(-6 if on_right else 6, 0),
                textcoords="offset points",
                ha="right" if on_right else "left",
                va="center",
                fontsize=7 if disc else 10,
                color="0.35" if disc else "0.1",
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )
    axis.set_axis_off()


def _columns(
    structures: Sequence[ReconstructedStructure], camera: Camera
) -> dict[str, list[ReconstructedStructure]]:
    """Which names stand at which side of a view: bones of one side at their own side where that is seen, else to the
    left; discs to the right, for they lie between the names of vertebrae."""
    columns: dict[str, list[ReconstructedStructure]] = {"left": [], "right": []}
    for one in structures:
        towards = {"left": -1.0, "right": 1.0}.get(one.structure.side or "", 0.0) * camera.right[0]
        columns["right" if one.structure.kind == "disc" or towards > 0 else "left"].append(one)
    return columns


def apart(heights: Sequence[float], least: float) -> list[float]:
    """The heights, in their order, moved as little as keeps any two at least so far apart."""
    order = np.argsort(np.negative(heights), kind="stable")
    # with the steps taken out, the condition is that the numbers do not rise: the nearest such are means of runs
    wanted = [heights[index] + least * place for place, index in enumerate(order)]
    runs: list[list[float]] = []
    for value in wanted:
        runs.append([value])
        while len(runs) > 1 and np.mean(runs[-1]) > np.mean(runs[-2]):
            runs[-2:] = [runs[-2] + runs[-1]]
    level = [float(np.mean(run)) for run in runs for _ in run]
    placed = [0.0] * len(heights)
    for place, index in enumerate(order):
        placed[index] = level[place] - least * place
    return placed


def _shown(
    item: ReconstructedStructure, reconstruction: Reconstruction
) -> tuple[tuple[float, float, float], str]:
    """Colour and name, of doubt where the levels are a guess."""
    structure, certain = item.structure, reconstruction.levels_certain
    return shown_colour(structure.kind, structure.colour, certain), shown_name(
        item.name, structure.kind, certain
    )


def _extent(points: NDArray, camera: Camera) -> tuple[float, float, float, float]:
    across, along = points @ np.array(camera.right, dtype=float), points @ np.array(camera.up, dtype=float)
    tall = float(np.ptp(along)) + 2 * _MARGIN_MM
    side = max(2 * _MARGIN_MM, _NAMES_SHARE * tall)
    return (
        float(across.min() - side), float(across.max() + side),
        float(along.min() - _MARGIN_MM), float(along.max() + _MARGIN_MM),
    )  # fmt: skip


def _scale_bar(
    axis: Axes, extent: tuple[float, float, float, float], known: bool, length_mm: float = 20.0
) -> None:
    x, y = extent[0] + 8, extent[2] + 5
    text: dict[str, Any] = {"va": "bottom", "fontsize": 8, "color": "0.2"}
    if not known:
        axis.text(x, y, "scale unknown", ha="left", **text)
        return
    axis.plot([x, x + length_mm], [y, y], color="0.2", linewidth=2)
    axis.text(x + length_mm / 2, y + 1.5, f"{length_mm:.0f} mm", ha="center", **text)


def _label(
    axis: Axes, at: NDArray, text: str, colour: tuple[float, float, float], size: int, side: str
) -> None:
    tint = tuple(0.5 + 0.5 * np.array(colour))  # dark hues are not legible on a dark image
    axis.text(
        at[0],
        at[1],
        text,
        color=tint,
        fontsize=size,
        ha=side,
        va="center",
        path_effects=OUTLINE,
        clip_on=True,
    )


def save_figure(figure: Figure, path: Path | str) -> Path:
    """Whole or not at all. Raises InputError for an unwritable folder."""
    FigureCanvasAgg(figure)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})
    return Path(path)
