"""The z-buffer in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor

from mri2mesh.rendering.plain.boxes import face_blocks
from mri2mesh.rendering.settings import ON_EDGE


def nearest_depth(screen: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
    """[J, H, W] depth of the nearest face at each pixel centre, infinity where there is none.

    screen: [J, V, 3] (column, row, depth); faces: [F, 3]. perspective: depth is linear on the face, not on the screen.
    """
    depth = screen.new_full((len(screen) * size[0] * size[1],), torch.inf)
    for block in face_blocks(screen, faces, size, 0.0, False):
        side_x, side_y = block.x.roll(-1, 0) - block.x, block.y.roll(-1, 0) - block.y
        area = side_x[0] * side_y[1] - side_x[1] * side_y[0]
        weights = [
            (side_x[k] * (block.row - block.y[k]) - side_y[k] * (block.column - block.x[k])) / area
            for k in range(3)
        ]
        inside = torch.minimum(torch.minimum(weights[0], weights[1]), weights[2]) >= ON_EDGE
        corners = 1 / block.z if perspective else block.z
        z = weights[1] * corners[0] + weights[2] * corners[1] + weights[0] * corners[2]
        if perspective:
            z = 1 / z
        depth.scatter_reduce_(0, block.pixel.view(-1), z.masked_fill_(~inside, torch.inf).view(-1), "amin")
    return depth.view(len(screen), *size)
