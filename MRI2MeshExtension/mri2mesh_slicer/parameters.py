"""What the user chose, kept in the scene's parameter node and so saved with the scene."""

from __future__ import annotations

import slicer
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class Parameters:
    """image: the volume, or the first radiograph. method: an engine's name; empty while the image's kind chooses.
    live: whether the surface is shown while it is fitted. further_views: radiographs beside the first. Geometry and
    landmarks of a radiograph are kept with its node."""

    image: slicer.vtkMRMLScalarVolumeNode
    method: str = ""
    device: str = "auto"
    live: bool = True
    level_shift: int = 0
    anatomy: str = "pelvis"
    further_views: list[slicer.vtkMRMLScalarVolumeNode]
    export_format: str = "stl"
    export_folder: str = ""
    batch_format: str = "stl"
