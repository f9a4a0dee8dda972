"""A radiograph as the network takes it: upright, its longer side on so many pixels, as bright as films of training."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.brightness import standardised

MULTIPLE = 32
"""What the network's films are a multiple of, along each side."""
_MOST_OBLONG = 3.0
_MOSTLY = 0.5
"""Share of a pixel inside the field from which it is shown."""


@dataclass(frozen=True)
class NetworkFilm:
    """film: [H, W], see `standardised`. camera: of its pixels. shown: [H, W] where the film shows the patient, not
    padding, nor what lies outside a round or collimated field."""

    film: NDArray[np.float32]
    camera: XrayCamera
    shown: NDArray[np.bool_]

    def holds(self, points: NDArray) -> NDArray[np.bool_]:
        """[N] whether points [N, 3] RAS mm are projected onto the film."""
        column, row = np.rint(self.camera.project(points)).T
        rows, columns = self.shown.shape
        inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        result = np.zeros(len(points), bool)
        result[inside] = self.shown[row[inside].astype(int), column[inside].astype(int)]
        return result


def network_film(
    pixels: NDArray, camera: XrayCamera, longer_side: int, exposed: NDArray[np.bool_] | None = None
) -> NetworkFilm:
    """pixels: [rows, columns] of the camera, in any orientation. longer_side: pixels to come, a multiple of 32.
    exposed: [rows, columns] the field of the film, where it is known. What is outside shows nothing, whatever value the
    machine has put there: it becomes the least value of the field, as films of training have it, so that it
    says nothing of how bright the film is.

    Raises InputError for an image that is a strip.
    """
    pixels = np.asarray(pixels, dtype=np.float32)
    inside = np.ones(pixels.shape, np.float32)
    if exposed is not None and exposed.any():
        inside = exposed.astype(np.float32)
        pixels = np.where(exposed, pixels, pixels[exposed].min())
    inside, _ = upright(inside, camera)
    pixels, camera = upright(pixels, camera)
    (rows, columns), (row_mm, column_mm) = camera.size, camera.pixel_spacing_mm
    height, width = rows * row_mm, columns * column_mm
    if max(height, width) > _MOST_OBLONG * min(height, width):
        raise InputError(
            f"the radiograph is a strip of {width:.0f} x {height:.0f} mm: give one of the whole region"
        )
    step = max(height, width) / longer_side
    small = tuple(max(1, round(length / step)) for length in (height, width))
    image, field = (_resized(one, small) for one in (standardised(pixels), inside))
    padded = tuple(-(-n // MULTIPLE) * MULTIPLE for n in small)
    film = np.full(padded, image.min(), np.float32)
    film[: small[0], : small[1]] = image
    shown = np.zeros(padded, bool)
    shown[: small[0], : small[1]] = field > _MOSTLY
    by_row, by_column = rows / small[0], columns / small[1]
    column, row = camera.principal_point_px
    own = replace(
        camera,
        pixel_spacing_mm=(row_mm * by_row, column_mm * by_column),
        principal_point_px=((column + 0.5) / by_column - 0.5, (row + 0.5) / by_row - 0.5),
        size=(padded[0], padded[1]),
    )
    return NetworkFilm(film, own, shown)


def _resized(image: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """[h, w] means over the pixels of an image [H, W]."""
    pixels = torch.from_numpy(image)[None, None]
    resized = interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    return np.asarray(resized[0, 0].numpy())


def upright(pixels: NDArray, camera: XrayCamera) -> tuple[NDArray, XrayCamera]:
    """The image as films are hung: head up, on its left the patient's right, or the front in views from the side; and
    the camera that sees it so."""
    if abs(camera.axes_ras[0, 2]) > np.hypot(*camera.axes_ras[0, :2]):  # columns run along the body
        pixels, camera = pixels.T, _transposed(camera)
    if against_custom(camera):
        pixels, camera = pixels[:, ::-1], turned_round(camera, 0)
    if camera.axes_ras[1, 2] > 0:  # towards the head
        pixels, camera = pixels[::-1], turned_round(camera, 1)
    return np.ascontiguousarray(pixels), camera


def against_custom(camera: XrayCamera) -> bool:
    """Whether columns run towards the patient's right; in views from the side, towards the front."""
    right, front = camera.axes_ras[0, :2]
    return bool(right > 0 if abs(right) > abs(front) else front > 0)


def _transposed(camera: XrayCamera) -> XrayCamera:
    columns, rows, beam = camera.axes_ras
    return replace(
        camera,
        axes_ras=np.stack([rows, columns, beam]),
        pixel_spacing_mm=camera.pixel_spacing_mm[::-1],
        principal_point_px=camera.principal_point_px[::-1],
        size=camera.size[::-1],
    )


def turned_round(camera: XrayCamera, axis: int) -> XrayCamera:
    """axis: 0, columns come in the other order; 1, rows."""
    axes, point = camera.axes_ras.copy(), list(camera.principal_point_px)
    axes[axis] *= -1
    point[axis] = camera.size[1 - axis] - 1 - point[axis]
    return replace(camera, axes_ras=axes, principal_point_px=(point[0], point[1]))


def scaled(camera: XrayCamera, factor: float) -> XrayCamera:
    """The same picture of a world that is larger by a factor about the origin."""
    row_mm, column_mm = camera.pixel_spacing_mm
    return replace(
        camera,
        source_ras_mm=camera.source_ras_mm * factor,
        source_to_detector_mm=camera.source_to_detector_mm * factor,
        pixel_spacing_mm=(row_mm * factor, column_mm * factor),
    )
