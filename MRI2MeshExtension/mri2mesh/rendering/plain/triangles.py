"""Squared distance and depth of a triangle at a pixel centre, for blocks of pairs, with hand-written
derivatives.

Arithmetic on 0/1 masks takes the place of `torch.where`, which is ten times slower than a product on a CPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mri2mesh.rendering.plain.boxes import Block


@dataclass
class PairGeometry:
    """Values per pair, all [m, n] (pixels of the box, faces).

    distance: squared distance in pixels from the pixel centre to the triangle, negative inside.
    depth: mm, interpolated with barycentric weights clipped to the triangle (clamped to >= 0, renormalised).
    weights: the three unclipped barycentric weights at the pixel centre.
    total: sum of the clamped weights (>= 1, equal to 1 inside).
    pull_x, pull_y: derivative of `distance` to a shift of the nearest boundary point.
    share: the first two barycentric weights of the nearest boundary point (the third is what is missing to
        1).
    """

    distance: Tensor
    depth: Tensor
    weights: tuple[Tensor, Tensor, Tensor]
    total: Tensor
    pull_x: Tensor
    pull_y: Tensor
    share: tuple[Tensor, Tensor]


def _edges(block: Block) -> tuple[Tensor, Tensor, Tensor]:
    """Edge vectors [3, n] (x and y) from corner k to corner k + 1, and one over the signed double area
    [n]."""
    edge_x, edge_y = block.x.roll(-1, 0) - block.x, block.y.roll(-1, 0) - block.y
    return edge_x, edge_y, 1 / (edge_x[0] * edge_y[1] - edge_x[1] * edge_y[0])


def pair_geometry(block: Block) -> PairGeometry:
    """Exact distance, depth and what their derivatives need, for every pair of a block."""
    edge_x, edge_y, inverse_area = _edges(block)
    square = (edge_x * edge_x + edge_y * edge_y).clamp_(min=torch.finfo(edge_x.dtype).tiny)
    unit_x, unit_y = edge_x / square, edge_y / square
    area_x, area_y = edge_x * inverse_area, edge_y * inverse_area
    opposite, along, gap_x, gap_y, gap = [], [], [], [], []
    for k in range(3):
        dx, dy = block.column - block.x[k], block.row - block.y[k]
        t = torch.mul(dx, unit_x[k]).addcmul_(dy, unit_y[k]).clamp_(0, 1)
        opposite.append(torch.mul(dy, area_x[k]).addcmul_(dx, area_y[k], value=-1))
        dx.addcmul_(t, edge_x[k], value=-1)
        dy.addcmul_(t, edge_y[k], value=-1)
        along.append(t)
        gap_x.append(dx)
        gap_y.append(dy)
        gap.append(torch.mul(dx, dx).addcmul_(dy, dy))
    weights = (opposite[1], opposite[2], opposite[0])

    nearest = torch.minimum(gap[0], gap[1])
    second = torch.lt(gap[1], gap[0]).to(nearest.dtype)
    third = torch.lt(gap[2], nearest).to(nearest.dtype)
    nearest = torch.minimum(nearest, gap[2], out=nearest)
    second.addcmul_(second, third, value=-1)
    first = (1 - second).sub_(third)
    # minus twice the gap (pixel minus nearest point), and the opposite of it inside
    inside = torch.gt(torch.minimum(torch.minimum(weights[0], weights[1]), weights[2]), 0).to(nearest.dtype)
    sign = inside.mul_(-2).add_(1)
    pull_x = (
        torch.mul(gap_x[0], first).addcmul_(gap_x[1], second).addcmul_(gap_x[2], third).mul_(sign).mul_(-2)
    )
    pull_y = (
        torch.mul(gap_y[0], first).addcmul_(gap_y[1], second).addcmul_(gap_y[2], third).mul_(sign).mul_(-2)
    )
    on_first, on_second, on_third = along[0].mul_(first), along[1].mul_(second), along[2].mul_(third)
    share = (first.sub_(on_first).add_(on_third), second.sub_(on_second).add_(on_first))

    clipped = [weight.clamp(min=0) for weight in weights]
    depth = (
        torch.mul(clipped[0], block.z[0]).addcmul_(clipped[1], block.z[1]).addcmul_(clipped[2], block.z[2])
    )
    total = clipped[0].add_(clipped[1]).add_(clipped[2])
    return PairGeometry(nearest.mul_(sign), depth.div_(total), weights, total, pull_x, pull_y, share)


def corner_gradient(block: Block, pairs: PairGeometry, grad_distance: Tensor, grad_depth: Tensor) -> Tensor:
    """Gradient to the corners, [3 corners, 3 (column, row, depth), n], from those to distance and depth [m,
    n].

    The nearest boundary point carries the distance (envelope theorem: where it slides to does not matter).
    For the depth, shifting corner j by s changes barycentric weight i by -w_j (grad w_i . s).
    """
    edge_x, edge_y, inverse_area = _edges(block)
    along_x, along_y = pairs.pull_x * grad_distance, pairs.pull_y * grad_distance
    third_share = (1 - pairs.share[0]).sub_(pairs.share[1])
    scaled = grad_depth / pairs.total
    slope_x, slope_y = torch.zeros_like(scaled), torch.zeros_like(scaled)
    for i in range(3):
        positive = torch.gt(pairs.weights[i], 0).to(scaled.dtype)
        to_weight = (block.z[i] - pairs.depth).mul_(scaled).mul_(positive)
        k = (i + 1) % 3  # the edge opposite to corner i
        slope_x.addcmul_(to_weight, edge_y[k] * inverse_area, value=-1)
        slope_y.addcmul_(to_weight, edge_x[k] * inverse_area)
    result = scaled.new_empty(3, 3, scaled.shape[1])
    for j, share in enumerate((*pairs.share, third_share)):
        weight = pairs.weights[j]
        result[j, 0] = torch.mul(along_x, share).addcmul_(weight, slope_x, value=-1).sum(0)
        result[j, 1] = torch.mul(along_y, share).addcmul_(weight, slope_y, value=-1).sum(0)
        result[j, 2] = weight.clamp(min=0).mul_(scaled).sum(0)
    return result
