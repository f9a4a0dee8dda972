"""Soft images by PyTorch3D, for users who have it: to compare with, and to be timed beside ours."""

from __future__ import annotations

import torch
from torch import Tensor

from mri2mesh.rendering.views import Cameras


def soft_images_by_pytorch3d(
    vertices: Tensor,
    faces: Tensor,
    cameras: Cameras,
    sigma: float,
    gamma: float,
    blur_radius: float,
    faces_per_pixel: int,
) -> tuple[Tensor, Tensor]:
    """Silhouette and depth [N, H, W] of one mesh [1, V, 3] in square images, depth in mm as `render_soft` gives it."""
    from pytorch3d.renderer.blending import BlendParams, sigmoid_alpha_blend, softmax_rgb_blend
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.renderer.mesh.rasterizer import Fragments
    from pytorch3d.structures import Meshes

    side = cameras.size[0]
    screen = cameras.project(vertices)[0].float()
    # PyTorch3D's NDC: +x to the left, +y up; depths from 0 (near) to the far plane.
    across = -(screen[..., :2] - (side - 1) / 2) * 2 / side
    ndc = torch.cat([across, screen[..., 2:] - cameras.near_mm], -1)
    meshes = Meshes(verts=list(ndc), faces=[faces] * len(cameras))
    fragments = Fragments(
        *rasterize_meshes(
            meshes,
            image_size=side,
            blur_radius=blur_radius,
            faces_per_pixel=faces_per_pixel,
            bin_size=0,
            perspective_correct=False,
            clip_barycentric_coords=True,
            cull_backfaces=False,
        )
    )
    far = cameras.far_mm - cameras.near_mm
    blend = BlendParams(sigma=sigma, gamma=gamma, background_color=(far, far, far))
    colors = fragments.zbuf[..., None].expand(*fragments.zbuf.shape, 3)
    depth = softmax_rgb_blend(colors, fragments, blend, znear=0.0, zfar=far)[..., 0] + cameras.near_mm
    return sigmoid_alpha_blend(colors, fragments, blend)[..., 3], depth
