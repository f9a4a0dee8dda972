"""Soft silhouettes and soft depth of meshes in several parallel views, differentiable to the vertices.

The images are those of Soft Rasterizer (Liu et al., ICCV 2019) as PyTorch3D renders them, with these
conventions:

- Distances are in PyTorch3D's normalised device coordinates (NDC): the shorter image side spans [-1, 1], one
  pixel is 2 / min(rows, columns). For a pixel centre and a face, d is the *squared* distance to the face's
  boundary, negative inside the face; the pair is kept where d < blur_radius; p = sigmoid(-d / sigma).
- Silhouette: alpha = 1 - prod(1 - p).
- Depth z of a face at a pixel: barycentric interpolation clipped to the face. zinv = (far - z) / (far - near)
  with near = -half_depth_mm and far = +half_depth_mm of the cameras. With zmax = max(zinv) over the pixel's
  faces (at least eps), w = p exp((zinv - zmax) / gamma) and delta = max(exp((eps - zmax) / gamma), eps), eps
  = 1e-10, depth = (sum w z + delta background_depth) / (sum w + delta), as `softmax_rgb_blend` does with z
  for colour.

Unlike PyTorch3D all faces within the blur radius take part, not the K nearest (`faces_per_pixel`), and
nothing is clipped at the near plane: a parallel view has no eye to be behind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2mesh.rendering.cameras import OrthographicCameras
from mri2mesh.rendering.plain.boxes import Block, face_blocks
from mri2mesh.rendering.plain.triangles import PairGeometry, corner_gradient, pair_geometry

EPSILON = 1e-10


class SoftImages(NamedTuple):
    """silhouette: [B, N, H, W] in 0..1. depth: [B, N, H, W] mm from the centre plane, along the view."""

    silhouette: Tensor
    depth: Tensor


def blur_for(
    cameras: OrthographicCameras, width_px: float = 1.25, least: float = 1e-4
) -> tuple[float, float]:
    """(sigma, blur_radius), both in squared NDC: at width_px from a face its probability has fallen to
    `least`.

    Soft images are a little larger and nearer than the hard ones: many faces add up at an edge, and with a small
    gamma the nearest face within the blur wins. Targets from the same renderer cancel that. With hard targets
    (label maps) it makes a fitted surface too small: in fits of an ellipsoid at 1.25 mm per pixel the volume came
    out 15% low with width_px 1.25 and gamma times the near-far range 0.05 mm, 2% low with 0.8 and 2.5 mm, which is
    the choice for them.
    """
    blur_radius = (width_px * cameras.ndc_per_pixel) ** 2
    return blur_radius / math.log(1 / least - 1), blur_radius


def render_soft(
    vertices: Tensor,
    faces: Tensor,
    cameras: OrthographicCameras,
    sigma: float,
    gamma: float,
    blur_radius: float,
    *,
    cull_backfaces: bool = False,
    background_depth: float | None = None,
) -> SoftImages:
    """Soft images of B meshes with shared faces in N views.

    vertices: [B, V, 3] mm; faces: [F, 3] int64, outward. sigma, blur_radius: squared NDC; gamma: fraction of
        the
    near-far range (see the module). `blur_for` gives a sensible pair from a width in pixels.
    cull_backfaces: leave out the faces turned away; half the work. For a closed mesh the same surface remains
    visible. With one layer of faces in place of two the silhouette falls to 3/4 where a pixel centre is on an
    edge between two faces, so a perfect soft Dice loss is a few hundredths above zero.
    background_depth: mm where there is no face; None means the far plane.
    Half-precision vertices are rendered in float32. Raises ValueError when a vertex is not finite.
    """
    if vertices.dtype not in (torch.float32, torch.float64):
        vertices = vertices.float()
    if not bool(torch.isfinite(vertices).all()):
        raise ValueError("a vertex to be rendered is not finite")
    with torch.autocast(vertices.device.type, enabled=False):
        screen = cameras.project(vertices)
    batch, views = screen.shape[:2]
    pixels_per_ndc = 1 / cameras.ndc_per_pixel
    settings = _Settings(
        size=cameras.size,
        sigma=sigma * pixels_per_ndc**2,
        reach=blur_radius * pixels_per_ndc**2,
        gamma=gamma,
        far=cameras.far_mm,
        background=cameras.far_mm if background_depth is None else background_depth,
        cull=cull_backfaces,
    )
    silhouette, depth = _SoftRaster.apply(screen.flatten(0, 1), faces, settings)
    shape = (batch, views, *cameras.size)
    return SoftImages(silhouette.view(shape), depth.view(shape))


class _Settings(NamedTuple):
    """Lengths in pixels (sigma, reach: squared pixels) and millimetres (far, background)."""

    size: tuple[int, int]
    sigma: float
    reach: float
    gamma: float
    far: float
    background: float
    cull: bool


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
    def forward(ctx: Any, screen: Tensor, faces: Tensor, settings: _Settings) -> tuple[Tensor, Tensor]:
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
            nearness = geometry.depth.sub(settings.far).mul_(-0.5 / settings.far).mul_(kept)
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
            on_depth = scale.mul_(pair.weight).add_(on_nearness, alpha=-0.5 / settings.far)
            corners = corner_gradient(pair.block, geometry, on_distance, on_depth)
            image = torch.div(pair.block.face, n_faces, rounding_mode="floor")
            index = ctx.faces[pair.block.face - image * n_faces].T + image * vertices
            for axis in range(3):
                gradient[axis].scatter_add_(0, index.reshape(-1), corners[:, axis].reshape(-1))
        return gradient.T.reshape(images, vertices, 3), None, None
