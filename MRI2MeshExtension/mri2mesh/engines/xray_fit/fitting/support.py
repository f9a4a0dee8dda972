"""Which vertices of a fitted surface the images show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.geometry.xray_camera import XrayCamera


def in_field(vertices: NDArray, camera: XrayCamera, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[V] whether vertices [V, 3] RAS mm fall on usable pixels, mask [H, W]."""
    column, row = np.rint(camera.project(vertices)).T
    rows, columns = mask.shape
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    result = np.zeros(len(vertices), bool)
    result[inside] = mask[row[inside].astype(int), column[inside].astype(int)]
    return result


def support_in_views(vertices: NDArray, views: Sequence[Observation]) -> NDArray[np.float32]:
    """[V] 1 where a vertex falls on usable pixels of at least one view, 0 where the prior alone put it there."""
    seen = [in_field(vertices, view.camera, view.mask) for view in views]
    return np.any(seen, axis=0).astype(np.float32)
