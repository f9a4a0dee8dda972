"""Soft silhouettes and soft depth of meshes in several views, differentiable to vertices and cameras.

The images are those of Soft Rasterizer (Liu et al., ICCV 2019) as PyTorch3D renders them, with these
conventions:

- Distances are in PyTorch3D's normalised device coordinates (NDC): the shorter image side spans [-1, 1], one
  pixel is 2 / min(rows, columns). For a pixel centre and a face, d is the *squared* distance to the face's
  boundary, negative inside the face; the pair is kept where d < blur_radius; p = sigmoid(-d / sigma).
- Silhouette: alpha = 1 - prod(1 - p).
- Depth z of a face at a pixel: barycentric interpolation clipped to the face. zinv = (far - z) / (far - near)
  with the cameras' near and far plane, between which everything should lie. With zmax = max(zinv) over the pixel's
  faces (at least eps), w = p exp((zinv - zmax) / gamma) and delta = max(exp((eps - zmax) / gamma), eps), eps
  = 1e-10, depth = (sum w z + delta background_depth) / (sum w + delta), as `softmax_rgb_blend` does with z
  for colour.

Unlike PyTorch3D all faces within the blur radius take part, not the K nearest (`faces_per_pixel`), and nothing is
clipped at the near plane. Depth is interpolated on the screen (`perspective_correct=False`) in perspective views too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mri2mesh.errors import InputError
from mri2mesh.rendering import checks
from mri2mesh.rendering.backends import choose
from mri2mesh.rendering.settings import SoftSettings
from mri2mesh.rendering.views import Cameras


class SoftImages(NamedTuple):
    """silhouette: [B, N, H, W] in 0..1. depth: [B, N, H, W] mm along the view, from the centre plane of a parallel
    view or from the source of a perspective one."""

    silhouette: Tensor
    depth: Tensor


def blur_for(cameras: Cameras, width_px: float = 1.25, least: float = 1e-4) -> tuple[float, float]:
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
    cameras: Cameras,
    sigma: float,
    gamma: float,
    blur_radius: float,
    *,
    cull_backfaces: bool = False,
    background_depth: float | None = None,
    backend: str = "auto",
) -> SoftImages:
    """Soft images of B meshes with shared faces in N views.

    vertices: [B, V, 3] mm; faces: [F, 3] int64, outward. sigma, blur_radius: squared NDC; gamma: fraction of the
    near-far range (see the module). `blur_for` gives a sensible pair from a width in pixels.
    cull_backfaces: leave out the faces turned away; half the work. For a closed mesh the same surface remains
    visible. With one layer of faces in place of two the silhouette falls to 3/4 where a pixel centre is on an
    edge between two faces, so a perfect soft Dice loss is a few hundredths above zero.
    background_depth: mm where there is no face; None means the far plane.
    backend: see `backends.choose`. Half-precision vertices are rendered in float32.
    Raises ValueError when a vertex is not finite, InputError for one behind the source, and for mirrored and other
    views without back faces at once; on CUDA the images concerned are NaN instead (see `checks`).
    """
    if vertices.dtype not in (torch.float32, torch.float64):
        vertices = vertices.float()
    if checks.asked_at_once(vertices) and not bool(torch.isfinite(vertices).all()):
        raise ValueError("a vertex to be rendered is not finite")
    with torch.autocast(vertices.device.type, enabled=False):
        screen = cameras.project(vertices)
    batch, views = screen.shape[:2]
    pixels_per_ndc = 1 / cameras.ndc_per_pixel
    settings = SoftSettings(
        size=cameras.size,
        sigma=sigma * pixels_per_ndc**2,
        reach=blur_radius * pixels_per_ndc**2,
        gamma=gamma,
        near=cameras.near_mm,
        far=cameras.far_mm,
        background=cameras.far_mm if background_depth is None else background_depth,
        cull=cull_backfaces,
    )
    if cull_backfaces:
        faces = _facing(faces, cameras)
    images = choose(backend, vertices.device).soft_images(screen.flatten(0, 1), faces, settings)
    silhouette, depth = (
        checks.mark_unseen(image.to(vertices.dtype).unflatten(0, (batch, views)), screen) for image in images
    )
    if cull_backfaces and not checks.asked_at_once(vertices):
        odd = _odd_hands(cameras).to(vertices.device).expand(batch, views)
        silhouette, depth = checks.mark(silhouette, odd), checks.mark(depth, odd)
    return SoftImages(silhouette, depth)


def _odd_hands(cameras: Cameras) -> Tensor:
    """[N] or [B, N]: which views are mirrored and the first is not, or the other way round."""
    hands = cameras.handedness()
    return hands != hands.flatten()[0]


def _facing(faces: Tensor, cameras: Cameras) -> Tensor:
    """Faces wound so that those turned to the viewer have negative area on the screen, also in mirrored views."""
    if checks.asked_at_once(faces) and bool(_odd_hands(cameras).any()):
        raise InputError(
            "back faces cannot be left out of mirrored and other views at once: render them apart"
        )
    upright = cameras.handedness().flatten()[0].to(faces.device) > 0
    return torch.where(upright, faces, faces.flip(1))
