"""Radiographs with the contours of the surfaces fitted to them, for the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from mri2mesh.anatomy.doubtful_levels import shown_colour, shown_name
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.atomic import whole_file
from mri2mesh.export.pixel_maps import SEEN
from mri2mesh.geometry.silhouettes import Silhouette
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.reconstruction import PixelMaps, Reconstruction

_INCHES = 6.5
_MASKED_TINT = (0.1, 0.2, 0.5, 0.45)
_DPI = 110


def write_overlay(
    reconstruction: Reconstruction,
    radiograph: Radiograph,
    path: Path | str,
    surface_to_view: ArrayLike | None = None,
    *,
    masked: bool = True,
    seen: PixelMaps | None = None,
) -> Path:
    """PNG of a radiograph, bone bright, with the contours of every structure; an unknown scale is written on it.

    surface_to_view: 4x4 that moves the surfaces to where that view's geometry shows them, where the fit corrected it.
    masked: whether what is masked was left out by the engine, and so is tinted. seen: what was taken for bone in this
    radiograph, whose outlines are dashed.
    Raises InputError for an unwritable folder.
    """
    rows, columns = radiograph.pixels.shape
    longer = max(rows, columns)
    figure = Figure(figsize=(_INCHES * columns / longer, _INCHES * rows / longer), dpi=_DPI)
    axis = figure.add_axes((0, 0, 1, 1))
    usable = radiograph.pixels[radiograph.mask]
    dark, bright = np.percentile(usable if usable.size else radiograph.pixels, [1, 99.5])
    axis.imshow(radiograph.pixels, cmap="gray", vmin=dark, vmax=bright)
    masked = masked and not radiograph.mask.all()
    if masked:
        tint = np.zeros((rows, columns, 4))
        tint[~radiograph.mask] = _MASKED_TINT
        axis.imshow(tint)
    move = np.eye(4) if surface_to_view is None else np.asarray(surface_to_view, dtype=float)
    certain = reconstruction.levels_certain
    for item in reconstruction.structures:
        known = item.structure
        colour, name = (
            shown_colour(known.kind, known.colour, certain),
            shown_name(item.name, known.kind, certain),
        )
        segments = Silhouette(item.mesh).outline(radiograph.camera, move).segments
        axis.add_collection(LineCollection(list(segments), colors=[colour], linewidths=1.0, label=name))
    if seen is not None:
        _draw_seen(axis, seen, radiograph, certain)
    axis.set_xlim(-0.5, columns - 0.5)
    axis.set_ylim(rows - 0.5, -0.5)
    axis.set_axis_off()
    if not radiograph.scale_known:
        axis.text(0.01, 0.01, "scale unknown", transform=axis.transAxes, color="white", fontsize=8)
    if masked:
        axis.add_patch(Rectangle((-2, -2), 0, 0, color=_MASKED_TINT, label="Masked"))  # for the legend alone
    if reconstruction.structures:
        axis.legend(loc="lower right", fontsize=7, framealpha=0.5)
    FigureCanvasAgg(figure)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return Path(path)


def _draw_seen(axis: Axes, seen: PixelMaps, radiograph: Radiograph, certain: bool) -> None:
    """Dashed lines where presence is one half, on the radiograph's own pixels."""
    rows, columns = np.indices(seen.camera.size)
    on_detector = seen.camera.on_detector(np.stack([columns, rows], axis=-1))
    place = radiograph.camera.project(on_detector)
    for name, presence in zip(seen.names, seen.presence, strict=True):
        if not presence.max() > SEEN > presence.min():
            continue
        known = STRUCTURES[name]
        colour = shown_colour(known.kind, known.colour, certain)
        axis.contour(
            place[..., 0],
            place[..., 1],
            presence,
            [SEEN],
            colors=[colour],
            linewidths=1.2,
            linestyles="dashed",
        )
        label = f"{shown_name(name, known.kind, certain)}, as a network sees it"
        axis.plot([], [], color=colour, linewidth=1.2, linestyle="dashed", label=label)
