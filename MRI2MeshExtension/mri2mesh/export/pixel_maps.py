"""What an engine saw in a radiograph, as images beside the surfaces and as a picture for the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.atomic import whole_file
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.reconstruction import PixelMaps

PICTURE = "maps.png"
_DPI = 110
SEEN = 0.5
"""Presence from which a pixel is drawn as the bone's."""
_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])


def write_pixel_maps(maps: PixelMaps, folder: Path) -> None:
    """``<structure>.maps.nrrd``, an image on the detector, in place, with three components: presence (0 to 1), depth of
    the bone's front and of its back (mm from the source along the beam, 0 where the bone is not); and ``maps.png``."""
    for number, name in enumerate(maps.names):
        on = maps.presence[number] > SEEN
        depth = np.where(on, maps.depth_mm[number], 0)
        _write_image(np.stack([maps.presence[number], *depth], -1), maps.camera, folder / f"{name}.maps.nrrd")
    _draw(maps, folder / PICTURE)


def _write_image(values: NDArray, camera: XrayCamera, path: Path) -> None:
    """values: [H, W, C], one slice on the detector."""
    image = sitk.GetImageFromArray(values[None].astype(np.float32), isVector=True)
    matrix = camera.pixel_to_ras
    (row_mm, column_mm), directions = camera.pixel_spacing_mm, matrix[:3, :3].copy()
    directions[:, 0] /= column_mm
    directions[:, 1] /= row_mm
    image.SetSpacing((column_mm, row_mm, 1.0))
    image.SetOrigin((_RAS_TO_LPS * matrix[:3, 3]).tolist())
    image.SetDirection((_RAS_TO_LPS[:, None] * directions).ravel().tolist())
    with whole_file(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True, imageIO="NrrdImageIO")


def _draw(maps: PixelMaps, path: Path) -> None:
    """The film with what was taken for bone, the depth of the nearest front, and of the farthest back."""
    rows, columns = maps.film.shape
    figure = Figure(figsize=(3 * 4.2, 4.2 * rows / columns + 0.4), dpi=_DPI)
    figure.patch.set_facecolor("black")
    axes = figure.subplots(1, 3)
    axes[0].imshow(maps.film, cmap="gray", vmin=-1, vmax=1)
    for name, presence in zip(maps.names, maps.presence, strict=True):
        if presence.max() > SEEN > presence.min():
            axes[0].contour(presence, [SEEN], colors=[STRUCTURES[name].colour], linewidths=1.0)
    on = maps.presence > SEEN
    depth = np.ma.masked_array(maps.depth_mm, ~np.repeat(on[:, None], 2, 1))
    limits = np.percentile(depth.compressed(), [1, 99]) if on.any() else (0.0, 1.0)
    titles = ("What is taken for bone", "Depth of the front, mm", "Depth of the back, mm")
    for axis, title, shown in zip(
        axes, titles, (None, depth[:, 0].min(0), depth[:, 1].max(0)) if len(on) else (None,) * 3, strict=True
    ):
        _panel(axis, title)
        if shown is None:
            continue
        image = axis.imshow(shown, cmap="viridis_r", vmin=limits[0], vmax=limits[1])
        bar = figure.colorbar(image, ax=axis, fraction=0.046, pad=0.02)
        bar.ax.tick_params(colors="white", labelsize=7)
    figure.subplots_adjust(left=0.01, right=0.96, bottom=0.01, top=0.92, wspace=0.1)
    FigureCanvasAgg(figure)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", facecolor="black", metadata={"Software": None})


def _panel(axis: Axes, title: str) -> None:
    axis.set_title(title, color="white", fontsize=10)
    axis.set_axis_off()
