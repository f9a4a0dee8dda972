"""Soft images in plain torch: see `soft` for what they are, `compiled.soft` for the fast ones.

Every block of pairs is kept from the forward to the backward pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2mesh.rendering.plain.boxes import Block, face_blocks
from mri2mesh.rendering.plain.triangles import PairGeometry, corner_gradient, pair_geometry
from mri2mesh.rendering.settings import EPSILON, SoftSettings


def soft_images(screen: Tensor, faces: Tensor, settings: SoftSettings) -> tuple[Tensor, Tensor]:
    """Silhouette and depth, each [J, H, W], of screen vertices [J, V, 3] (column, row, depth) and faces [F, 3]."""
    silhouette, depth = _SoftRaster.apply(screen, faces, settings)
    shape = (len(screen), *settings.size)
    return silhouette.view(shape), depth.view(shape)


@dataclass
class _Pairs:
    """One block with its pair values, kept from the forward to the backward pass."""

    block: Block
    geometry: PairGeometry
    probability: Tensor
    nearness: Tensor
    weight: Tensor | None = None


class _SoftRaster(torch.autograd.Function):
    """Screen vertices [images, V, 3] to silhouette and depth [images * H * W]; derivatives written by
    hand."""

    @staticmethod
    def forward(ctx: Any, screen: Tensor, faces: Tensor, settings: SoftSettings) -> tuple[Tensor, Tensor]:
        count = screen.shape[0] * settings.size[0] * settings.size[1]
        log_clear = screen.new_zeros(count)
        nearest = screen.new_full((count,), EPSILON)
        weight_sum, depth_sum = screen.new_zeros(count), screen.new_zeros(count)
        below_one = 1 - torch.finfo(screen.dtype).eps / 2
        pairs: list[_Pairs] = []
        for block in face_blocks(screen, faces, settings.size, math.sqrt(settings.reach), settings.cull):
            geometry = pair_geometry(block)
            kept = torch.lt(geometry.distance, settings.reach).to(screen.dtype)
            probability = geometry.distance.mul(-1 / settings.sigma).sigmoid_().mul_(kept)
            pixel = block.pixel.view(-1)
            log_clear.scatter_add_(0, pixel, probability.clamp(max=below_one).neg_().log1p_().view(-1))
            nearness = geometry.depth.sub(settings.far).div_(settings.near - settings.far).mul_(kept)
            nearest.scatter_reduce_(0, pixel, nearness.view(-1), "amax")
            pairs.append(_Pairs(block, geometry, probability, nearness))
        for pair in pairs:
            pixel = pair.block.pixel.view(-1)
            weight = pair.nearness.view(-1).sub(nearest[pixel]).mul_(1 / settings.gamma).exp_()
            weight.mul_(pair.probability.view(-1))
            weight_sum.scatter_add_(0, pixel, weight)
            depth_sum.scatter_add_(0, pixel, weight * pair.geometry.depth.view(-1))
            pair.weight = weight.view_as(pair.probability)
        backdrop = ((EPSILON - nearest) / settings.gamma).exp_().clamp_(min=EPSILON)
        weight_sum += backdrop
        depth = (depth_sum + backdrop * settings.background) / weight_sum
        if ctx.needs_input_grad[0]:
            ctx.pairs, ctx.settings, ctx.faces, ctx.shape = pairs, settings, faces, screen.shape
            ctx.images = (log_clear, nearest, weight_sum, depth)
        return -torch.expm1(log_clear), depth

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_silhouette: Tensor, grad_depth: Tensor) -> tuple[Tensor, None, None]:
        settings, (log_clear, nearest, weight_sum, depth) = ctx.settings, ctx.images
        # d alpha / d distance = -prod(1 - p) p / sigma: the part that is the same for all faces of a pixel
        to_distance = grad_silhouette * log_clear.exp() * (-1 / settings.sigma)
        to_depth = grad_depth / weight_sum
        # Where delta is held at eps the depth depends on zmax itself, through the faces that attain it.
        held = ((EPSILON - nearest) / settings.gamma < math.log(EPSILON)) & (nearest > EPSILON)
        to_nearest = to_depth * (settings.background - depth) * (EPSILON / settings.gamma) * held
        ties = torch.zeros_like(depth)
        for pair in ctx.pairs:
            pixel = pair.block.pixel.view(-1)
            at_top = torch.ge(pair.nearness.view(-1), nearest[pixel]).to(depth.dtype)
            ties.scatter_add_(0, pixel, at_top)
        to_nearest /= ties.clamp_(min=1)

        images, vertices, _ = ctx.shape
        gradient = depth.new_zeros(3, images * vertices)
        n_faces = len(ctx.faces)
        for pair in ctx.pairs:
            pixel, probability, geometry = pair.block.pixel, pair.probability, pair.geometry
            scale = to_depth[pixel]
            to_weight = geometry.depth.sub(depth[pixel]).mul_(scale).mul_(pair.weight)  # times w
            on_distance = (1 - probability).mul_(to_weight).mul_(-1 / settings.sigma)
            on_distance.addcmul_(to_distance[pixel], probability)
            at_top = torch.ge(pair.nearness, nearest[pixel]).to(depth.dtype)
            on_nearness = to_weight.mul_(1 / settings.gamma).addcmul_(to_nearest[pixel], at_top)
            on_depth = scale.mul_(pair.weight).add_(on_nearness, alpha=1 / (settings.near - settings.far))
            corners = corner_gradient(pair.block, geometry, on_distance, on_depth)
            image = torch.div(pair.block.face, n_faces, rounding_mode="floor")
            index = ctx.faces[pair.block.face - image * n_faces].T + image * vertices
            for axis in range(3):
                gradient[axis].scatter_add_(0, index.reshape(-1), corners[:, axis].reshape(-1))
        return gradient.T.reshape(images, vertices, 3), None, None
