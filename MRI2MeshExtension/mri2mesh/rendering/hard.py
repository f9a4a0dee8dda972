"""Hard silhouettes and front depth of meshes: the training targets. No gradient.

A pixel is on where the ray through its centre meets a face; depth is that of the nearest one (a z-buffer).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mri2mesh.rendering.cameras import OrthographicCameras
from mri2mesh.rendering.plain.boxes import face_blocks


class HardImages(NamedTuple):
    """silhouette: [B, N, H, W] float, 0 or 1. depth: [B, N, H, W] mm from the centre plane; the far plane's
    depth where the silhouette is off."""

    silhouette: Tensor
    depth: Tensor


@torch.no_grad()
def render_hard(vertices: Tensor, faces: Tensor, cameras: OrthographicCameras) -> HardImages:
    """Z-buffered images of B meshes [B, V, 3] with shared faces [F, 3] in N views.

    All faces take part, so the mesh may be open or of any orientation.
    """
    if vertices.dtype not in (torch.float32, torch.float64):
        vertices = vertices.float()
    screen = cameras.project(vertices)
    batch, views = screen.shape[:2]
    depth = screen.new_full((batch * views * cameras.size[0] * cameras.size[1],), torch.inf)
    for block in face_blocks(screen.flatten(0, 1), faces, cameras.size, 0.0, False):
        side_x, side_y = block.x.roll(-1, 0) - block.x, block.y.roll(-1, 0) - block.y
        area = side_x[0] * side_y[1] - side_x[1] * side_y[0]
        weights = [
            (side_x[k] * (block.row - block.y[k]) - side_y[k] * (block.column - block.x[k])) / area
            for k in range(3)
        ]
        # A point on an edge belongs to both faces: no cracks between neighbours.
        inside = torch.minimum(torch.minimum(weights[0], weights[1]), weights[2]) >= -1e-6
        z = weights[1] * block.z[0] + weights[2] * block.z[1] + weights[0] * block.z[2]
        depth.scatter_reduce_(0, block.pixel.view(-1), z.masked_fill_(~inside, torch.inf).view(-1), "amin")
    on = torch.isfinite(depth)
    shape = (batch, views, *cameras.size)
    silhouette = on.to(screen.dtype).view(shape)
    return HardImages(silhouette, depth.masked_fill_(~on, cameras.far_mm).view(shape))
