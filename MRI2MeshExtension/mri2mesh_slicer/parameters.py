"""What the user chose, kept in the scene's parameter node and so saved with the scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import slicer
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class Parameters:
    """image: the volume, the first radiograph, or the segmentation. method: an engine's name; empty while the image's
    kind chooses. live: whether the surface is shown while it is fitted. further_views: radiographs beside the first.
    The options of the engines are kept beside them (`mri2mesh_slicer.option_values`), geometry and landmarks of a
    radiograph with its node."""

    if TYPE_CHECKING:
        parameterNode: Any  # noqa: N815  Slicer's name

    image: slicer.vtkMRMLDisplayableNode
    method: str = ""
    device: str = "auto"
    live: bool = True
    further_views: list[slicer.vtkMRMLScalarVolumeNode]
    export_format: str = "stl"
    export_folder: str = ""
    export_edge_mm: float = 1.5
    export_quadratic: bool = False
    export_joined: bool = False
    export_region_materials: bool = False
    export_cortex_mm: float = 0.0
    batch_format: str = "stl"
