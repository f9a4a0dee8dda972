"""What the DICOM Display Shutter and X-Ray Collimator leave of the image (PS3.3 C.7.6.11, C.8.7.3).

Both say it alike, in pixels counted from 1: vertical and horizontal edges, a circle, a polygon.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.imaging.radiographs.tags.values import FrameTags

CIRCLE_CENTRE = {"Shutter": "CenterOfCircularShutter", "Collimator": "CenterOfCircularCollimator"}
CIRCLE_RADIUS = {"Shutter": "RadiusOfCircularShutter", "Collimator": "RadiusOfCircularCollimator"}
POLYGON = {
    "Shutter": "VerticesOfThePolygonalShutter",
    "Collimator": "VerticesOfThePolygonalCollimator",
}


def shuttered(tags: FrameTags, size: tuple[int, int]) -> NDArray[np.bool_]:
    """[rows, columns]; True outside the collimator or the display shutter. Raises InputError."""
    outside = np.zeros(size, dtype=bool)
    rows, columns = np.mgrid[1 : size[0] + 1, 1 : size[1] + 1]
    for name in ("Shutter", "Collimator"):
        shapes = tags.get(f"{name}Shape")
        shapes = [] if shapes is None else [shapes] if isinstance(shapes, str) else list(shapes)
        if "RECTANGULAR" in shapes:
            for side, beyond in (
                ("LeftVertical", lambda edge: columns < edge),
                ("RightVertical", lambda edge: columns > edge),
                ("UpperHorizontal", lambda edge: rows < edge),
                ("LowerHorizontal", lambda edge: rows > edge),
            ):
                edge = tags.number(f"{name}{side}Edge")
                if edge is not None:
                    outside |= beyond(edge)
        centre, radius = tags.numbers(CIRCLE_CENTRE[name], 2), tags.number(CIRCLE_RADIUS[name])
        if "CIRCULAR" in shapes and centre is not None and radius:
            outside |= np.hypot(rows - centre[0], columns - centre[1]) > radius
        corners = tags.numbers(POLYGON[name])
        if "POLYGONAL" in shapes and corners is not None and len(corners) >= 6:
            # Here: a Slicer in which nothing was installed yet opens its panel without matplotlib.
            from matplotlib.path import Path as Outline

            outline = Outline(np.reshape(corners[: len(corners) // 2 * 2], (-1, 2)))
            inside = outline.contains_points(np.stack([rows.ravel(), columns.ravel()], axis=1))
            outside |= ~inside.reshape(size)
    return outside
