"""Hard silhouettes and front depth of meshes: the training targets. No gradient.

A pixel is on where the ray through its centre meets a face; depth is that of the nearest one (a z-buffer).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mri2mesh.rendering import checks
from mri2mesh.rendering.backends import choose
from mri2mesh.rendering.views import Cameras


class HardImages(NamedTuple):
    """silhouette: [B, N, H, W] float, 0 or 1. depth: [B, N, H, W] mm along the view, as of `SoftImages`; the far
    plane's depth where the silhouette is off."""

    silhouette: Tensor
    depth: Tensor


@torch.no_grad()
def render_hard(vertices: Tensor, faces: Tensor, cameras: Cameras, *, backend: str = "auto") -> HardImages:
    """Z-buffered images of B meshes [B, V, 3] with shared faces [F, 3] in N views.

    All faces take part, so the mesh may be open or of any orientation. backend: see `backends.choose`.
    Raises InputError for a vertex behind the source; on CUDA its images are NaN (see `checks`).
    """
    if vertices.dtype not in (torch.float32, torch.float64):
        vertices = vertices.float()
    screen = cameras.project(vertices)
    render = choose(backend, vertices.device).nearest_depth
    depth = render(screen.flatten(0, 1), faces, cameras.size, cameras.perspective)
    depth = depth.to(vertices.dtype).unflatten(0, screen.shape[:2])
    on = torch.isfinite(depth)
    images = (on.to(depth.dtype), depth.masked_fill(~on, cameras.far_mm))
    return HardImages(*(checks.mark_unseen(image, screen) for image in images))
