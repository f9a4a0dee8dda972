"""Front and back of every structure in a view: how deep the first and the last face lies that each ray meets, and
where on the surface that is. No gradient: these are targets of learning, and the samples of reconstruction.

Depth is measured along the beam (the camera's third axis), not along the ray: `ProjectiveCameras.path_per_depth` is
the ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mri2mesh.errors import InputError
from mri2mesh.rendering.backends import choose
from mri2mesh.rendering.views import Cameras


@dataclass(frozen=True)
class BothFaces:
    """The two sides are the one nearest to the source (0) and the farthest from it (1).

    depth: [B, N, L, 2, H, W] float64, mm, not a number where the ray misses the structure. face: [B, N, L, 2, H, W]
    int32, -1 where it does. weights: [B, N, L, 2, H, W, 3] float32, of the face's corners at the crossing.
    """

    depth: Tensor
    face: Tensor
    weights: Tensor
    backend: str = "auto"

    @property
    def mask(self) -> Tensor:
        """[B, N, L, H, W] whether the ray meets the structure."""
        return self.face[:, :, :, 0] >= 0

    def of_vertices(self, values: Tensor, faces: Tensor) -> Tensor:
        """[B, N, L, 2, H, W, C]: what vertices carry [V, C], at the crossings; zero where there is none."""
        return choose(self.backend, values.device).interpolated(self.face, self.weights, faces, values)


@torch.no_grad()
def render_both_faces(
    vertices: Tensor,
    faces: Tensor,
    label: Tensor,
    n_labels: int,
    cameras: Cameras,
    *,
    backend: str = "auto",
) -> BothFaces:
    """B scenes [B, V, 3] of L structures (label [F] of faces [F, 3]) in N views, every structure for itself.

    Surfaces may be open or of any orientation. On the CPU compiled where numba is installed; other devices wait for
    plain torch. Raises InputError for a vertex behind the source, or labels that do not fit the faces.
    """
    if label.shape != faces.shape[:1] or (
        len(label) and not 0 <= int(label.min()) <= int(label.max()) < n_labels
    ):
        raise InputError("every face needs the number of its structure, from 0 to below their count")
    screen = cameras.project(vertices.double())
    shape = screen.shape[:2]
    render = choose(backend, vertices.device).nearest_and_farthest
    depth, face, weight = render(
        screen.flatten(0, 1), faces, label, n_labels, cameras.size, cameras.perspective
    )
    depth.masked_fill_(face < 0, torch.nan)
    return BothFaces(depth.unflatten(0, shape), face.unflatten(0, shape), weight.unflatten(0, shape), backend)
