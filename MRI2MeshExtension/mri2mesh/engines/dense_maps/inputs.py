"""What every network of dense maps is given besides the film: where each pixel looks, how large millimetres are, how
deep the bones are expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.xray_camera import XrayCamera

STANDARD_REFERENCE_SD_MM = 5.0
"""How well a table's distance is known in standard geometry."""
SD_UNIT_MM = 30.0
"""What one unit of the channel of uncertain depth stands for."""
_TYPICAL_DEPTH_MM = 1000.0
_TYPICAL_PIXEL_MM = 1.4


@dataclass(frozen=True)
class Reference:
    """depth_mm: from the source along the beam to where the middle of the region is expected. sd_mm: how far off that
    may be."""

    depth_mm: float
    sd_mm: float = STANDARD_REFERENCE_SD_MM


def ray_channels(camera: XrayCamera, reference: Reference) -> NDArray[np.float32]:
    """[4, H, W] for a camera whose grid is that of the maps.

    Tangents of the ray along columns and rows; logarithm of the pixel's size at the reference depth; logarithm of that
    depth.
    """
    rows, columns = camera.size
    (row_mm, column_mm), distance = camera.pixel_spacing_mm, camera.source_to_detector_mm
    column, row = camera.principal_point_px
    out = np.empty((4, rows, columns), np.float32)
    out[0] = 4 * (np.arange(columns) - column) * column_mm / distance
    out[1] = (4 * (np.arange(rows) - row) * row_mm / distance)[:, None]
    out[2] = 2 * np.log(row_mm * reference.depth_mm / distance / _TYPICAL_PIXEL_MM / 2)
    out[3] = 3 * np.log(reference.depth_mm / _TYPICAL_DEPTH_MM)
    return out


def depth_of(camera: XrayCamera, point_ras_mm: NDArray) -> float:
    """mm from the source to a point along the beam."""
    return float((point_ras_mm - camera.source_ras_mm) @ camera.axes_ras[2])
