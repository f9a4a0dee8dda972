"""How a film of a benchmark differs from a front view on a table with everything about it known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.posed_region import PosedRegion
from mri2mesh.synthesis.films.views import View


def turned(view: View, region: PosedRegion, axis: int, degrees: float) -> View:
    """The patient turned against the film: the camera goes round the hips instead. axis: 0, tilt (about the line
    through both hips); 2, rotation (about the body's long axis)."""
    middle = region.hips_ras_mm.mean(axis=0)
    turn = Rotation.from_rotvec(np.radians(degrees) * np.eye(3)[axis]).as_matrix()
    camera = view.camera
    source = middle + turn @ (camera.source_ras_mm - middle)
    return replace(view, camera=replace(camera, source_ras_mm=source, axes_ras=camera.axes_ras @ turn.T))


def wrong_distance(camera: XrayCamera, factor: float) -> XrayCamera:
    """What somebody believes who has the distance from source to detector wrong by a factor; the detector stays."""
    further = (factor - 1) * camera.source_to_detector_mm
    source: NDArray[np.float64] = camera.source_ras_mm - further * camera.axes_ras[2]
    return replace(camera, source_ras_mm=source, source_to_detector_mm=factor * camera.source_to_detector_mm)


Turn = Callable[[View, PosedRegion], View]
VIEWS: dict[str, Turn] = {"standard": lambda view, region: view} | {
    f"{name} {degrees}": lambda view, region, axis=axis, degrees=degrees: turned(view, region, axis, degrees)  # type: ignore[misc]
    for name, axis in (("tilt", 0), ("rotation", 2))
    for degrees in (5, 10, 20)
}
"""By name, what is done to a standard view."""
DISTANCES = {"distance 0.9": 0.9, "distance 1.1": 1.1}
"""By name, how wrong the distance to the detector is believed to be."""
CONDITIONS = (*VIEWS, *DISTANCES)
