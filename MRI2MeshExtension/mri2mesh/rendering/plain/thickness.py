"""Crossing depths in plain torch: the reference for the compiled back-end, and what runs where that is missing.

See `thickness` for what is computed. The derivative is written by hand and recomputes the pairs block by block, so
memory is that of the images and of one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2mesh.rendering.plain.boxes import Block, face_blocks
from mri2mesh.rendering.surfaces import ClosedSurfaces

Pairs = tuple[Block, tuple[Tensor, Tensor, Tensor], Tensor, Tensor, Tensor]
"""A block; barycentric weights, each [m, n]; sign of the face where it covers the pixel centre, else 0 [m, n]; what is
linear across the face: depth, or one over it, at the pixels [m, n] and at the corners [3, n]."""


def crossing_depth(
    screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Tensor:
    """[J, n_labels, H, W] sum over crossed faces of depth, + where the projected face has positive area, else -.

    screen: [J, V, 3] (column, row, depth).
    """
    return _CrossingDepth.apply(screen, surfaces, size, perspective)


def _pairs(
    screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Iterator[Pairs]:
    faces = surfaces.faces
    for block in face_blocks(screen, faces, size, 0.0, False, min_area_ndc=0.0):
        edge_x, edge_y = block.x.roll(-1, 0) - block.x, block.y.roll(-1, 0) - block.y
        area = edge_x[0] * edge_y[1] - edge_x[1] * edge_y[0]
        sign = area.sign()
        corner = faces[block.face % len(faces)].T
        covered = torch.ones_like(block.pixel, dtype=torch.bool)
        opposite = []
        for k in range(3):
            # Both faces of an edge measure from the same end and round alike, so no ray slips between them.
            turned = corner[k] > corner[(k + 1) % 3]
            base_x = torch.where(turned, block.x[(k + 1) % 3], block.x[k])
            base_y = torch.where(turned, block.y[(k + 1) % 3], block.y[k])
            side = edge_x[k] * (block.row - base_y) - edge_y[k] * (block.column - base_x)
            # On the edge itself one of the two faces has the pixel: left and top edges, as everywhere in graphics.
            on_edge = (sign * edge_y[k] < 0) | ((edge_y[k] == 0) & (sign * edge_x[k] > 0))
            covered &= (side * sign > 0) | ((side == 0) & on_edge)
            opposite.append(side / area)
        corners = 1 / block.z if perspective else block.z
        weights = (opposite[1], opposite[2], opposite[0])
        value = weights[0] * corners[0] + weights[1] * corners[1] + weights[2] * corners[2]
        yield block, weights, covered.to(screen.dtype) * sign, value, corners


def _places(block: Block, surfaces: ClosedSurfaces, pixels: int) -> Tensor:
    """[m, n] places of the block's pairs in the flattened [J, n_labels, H * W]."""
    image = torch.div(block.pixel, pixels, rounding_mode="floor")
    label = surfaces.label[block.face % len(surfaces.faces)]
    return block.pixel + pixels * (image * (surfaces.n_labels - 1) + label)


def crossing_tangents(
    screen: Tensor, moved: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Tensor:
    """[J, n_labels, H, W, P]: the derivative of `crossing_depth` along P directions at once.

    screen: [J, V, 3]. moved: [J, P, V, 3], how (column, row, depth) of each vertex change along each direction.
    """
    images, vertices, _ = screen.shape
    pixels, directions = size[0] * size[1], moved.shape[1]
    moved = moved.permute(0, 2, 3, 1).reshape(images * vertices, 3, directions)
    result = moved.new_zeros(images * surfaces.n_labels * pixels, directions)
    for block, weights, sign, value, corners in _pairs(screen, surfaces, size, perspective):
        slope_x, slope_y = _slopes(block, corners)
        to_value = -sign / value**2 if perspective else sign
        to_value = torch.where(sign != 0, to_value, torch.zeros_like(value))
        image = torch.div(block.face, len(surfaces.faces), rounding_mode="floor")
        index = surfaces.faces[block.face % len(surfaces.faces)].T + image * vertices
        change = moved.new_zeros(*value.shape, directions)
        for k in range(3):
            x, y, depth = moved[index[k]].unbind(1)
            if perspective:
                depth = -depth * (corners[k] ** 2)[:, None]
            at_corner = depth - slope_x[:, None] * x - slope_y[:, None] * y
            change += (to_value * weights[k])[..., None].to(moved) * at_corner.to(moved)
        place = _places(block, surfaces, pixels).view(-1)
        result.index_add_(0, place, change.view(-1, directions))
    return result.view(images, surfaces.n_labels, *size, directions)


def _slopes(block: Block, corners: Tensor) -> tuple[Tensor, Tensor]:
    """[n] change of what is linear across each face, by column and by row."""
    edge_x, edge_y = block.x.roll(-1, 0) - block.x, block.y.roll(-1, 0) - block.y
    area = edge_x[0] * edge_y[1] - edge_x[1] * edge_y[0]
    slope_x = sum(-edge_y[(k + 1) % 3] * corners[k] for k in range(3)) / area
    slope_y = sum(edge_x[(k + 1) % 3] * corners[k] for k in range(3)) / area
    return slope_x, slope_y  # type: ignore[return-value]


class _CrossingDepth(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
    ) -> Tensor:
        pixels = size[0] * size[1]
        result = screen.new_zeros(screen.shape[0] * surfaces.n_labels * pixels)
        for block, _, sign, value, _ in _pairs(screen, surfaces, size, perspective):
            depth = torch.where(sign != 0, 1 / value if perspective else value, torch.zeros_like(value))
            result.scatter_add_(0, _places(block, surfaces, pixels).view(-1), (sign * depth).view(-1))
        ctx.save_for_backward(screen)
        ctx.settings = (surfaces, size, perspective)
        return result.view(screen.shape[0], surfaces.n_labels, *size)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        (screen,), (surfaces, size, perspective) = ctx.saved_tensors, ctx.settings
        grad = grad.reshape(-1)
        images, vertices, _ = screen.shape
        result = screen.new_zeros(3, images * vertices)
        for block, weights, sign, value, corners in _pairs(screen, surfaces, size, perspective):
            to_value = sign * grad[_places(block, surfaces, size[0] * size[1])]
            if perspective:  # depth = 1 / value
                to_value = torch.where(sign != 0, -to_value / value**2, torch.zeros_like(value))
            slope_x, slope_y = _slopes(block, corners)
            image = torch.div(block.face, len(surfaces.faces), rounding_mode="floor")
            index = surfaces.faces[block.face % len(surfaces.faces)].T + image * vertices
            for k in range(3):
                amount = (to_value * weights[k]).sum(0)
                on_depth = -amount * corners[k] ** 2 if perspective else amount
                for axis, part in enumerate((-amount * slope_x, -amount * slope_y, on_depth)):
                    result[axis].scatter_add_(0, index[k], part)
        return result.T.reshape(images, vertices, 3), None, None, None
