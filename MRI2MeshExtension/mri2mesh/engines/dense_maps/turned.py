"""A radiograph turned in its plane, so that a bone that lies askew in it stands as a network knows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from mri2mesh.geometry.xray_camera import XrayCamera


def turned(
    image: NDArray, camera: XrayCamera, degrees: float, outside: float
) -> tuple[NDArray[np.float32], XrayCamera]:
    """The image [rows, columns] turned about its middle so that what lay along a direction `degrees` from the columns
    towards the rows lies along the columns; and the camera that sees it so. outside: the value of pixels that come from
    beyond the image."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    (rows, columns), (row_mm, column_mm) = camera.size, camera.pixel_spacing_mm
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2])
    down, across = np.mgrid[:rows, :columns]
    u, v = (across - middle[0]) * column_mm, (down - middle[1]) * row_mm
    from_column = (cos * u - sin * v) / column_mm + middle[0]
    from_row = (sin * u + cos * v) / row_mm + middle[1]
    moved = map_coordinates(
        image.astype(np.float32), [from_row, from_column], order=1, mode="constant", cval=outside
    )
    u, v = (np.array(camera.principal_point_px) - middle) * [column_mm, row_mm]
    point = middle + np.array([cos * u + sin * v, cos * v - sin * u]) / [column_mm, row_mm]
    along, downwards, beam = camera.axes_ras
    axes = np.stack([cos * along + sin * downwards, cos * downwards - sin * along, beam])
    return moved.astype(np.float32), replace(
        camera, axes_ras=axes, principal_point_px=(float(point[0]), float(point[1]))
    )
