"""Other bones in a picture, whose shadows add to that of the bone that is fitted. They stand still meanwhile."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.family import CORTEX_MM
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness


class Neighbours:
    """Closed surfaces: vertices [V, 3] mm RAS, faces [F, 3] over them."""

    def __init__(
        self, vertices: NDArray, faces: NDArray[np.int64], device: torch.device | str = "cpu"
    ) -> None:
        used, numbered = np.unique(faces, return_inverse=True)
        corners = torch.from_numpy(numbered.reshape(-1, 3)).to(device)
        outer = torch.from_numpy(np.asarray(vertices, dtype=np.float64)[used])[None].to(device)
        inner = outer - CORTEX_MM * vertex_normals(outer, corners)
        count = len(used)
        layer = torch.arange(2, device=device).repeat_interleave(len(corners))
        self._vertices = torch.cat([outer, inner], 1)
        self._surfaces = ClosedSurfaces.of(torch.cat([corners, corners + count]), 2 * count, layer)

    def layers(self, camera: XrayCamera) -> Tensor:
        """[1, 2, H, W] mm in the whole bones and inside their cortex. Raises InputError where they reach the source."""
        return ray_thickness(self._vertices, self._surfaces, ProjectiveCameras.of([camera]))[:, 0].float()
