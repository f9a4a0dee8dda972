"""The same view at a lower resolution: pixels averaged, the geometry kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mri2mesh.engines.xray_fit.fitting.image_term import Observation


def coarser(seen: Observation, longer_side: int) -> Observation:
    """The observation with about `longer_side` pixels on its longer side, or itself where it has no more.

    Blocks of pixels are averaged over their usable part; a block less than half usable does not count. Rows and columns
    that fill no block are left out at the right and below.
    """
    factor = round(max(seen.image.shape) / longer_side)
    if factor <= 1:
        return seen
    rows, columns = (n // factor for n in seen.image.shape)
    shape = (rows, factor, columns, factor)
    usable = seen.mask[: rows * factor, : columns * factor].reshape(shape).astype(np.float32)
    values = seen.image[: rows * factor, : columns * factor].reshape(shape)
    share = usable.mean((1, 3))
    image = np.where(usable > 0, values, 0).mean((1, 3)) / np.maximum(share, 1e-6)
    camera = seen.camera
    row_mm, column_mm = camera.pixel_spacing_mm
    column, row = camera.principal_point_px
    smaller = replace(
        camera,
        size=(rows, columns),
        pixel_spacing_mm=(row_mm * factor, column_mm * factor),
        principal_point_px=((column + 0.5) / factor - 0.5, (row + 0.5) / factor - 0.5),
    )
    mask, near = share > 0.5, seen.near
    if near is not None:
        near = np.any(near[: rows * factor, : columns * factor].reshape(shape), axis=(1, 3))
    return Observation(smaller, np.where(mask, image, 0).astype(np.float32), mask, near)
