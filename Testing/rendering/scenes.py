"""Meshes and cameras with known answers, and a second, slow implementation of the soft images."""

from __future__ import annotations

import numpy as np
import torch
import trimesh
from torch import Tensor

from mri2mesh.rendering.cameras import OrthographicCameras, axis_views


def sphere(
    radius: float = 20.0, subdivisions: int = 3, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Vertices [1, V, 3] and faces [F, 3] of an icosphere about the origin."""
    mesh = trimesh.creation.icosphere(subdivisions, radius)
    return torch.tensor(mesh.vertices, dtype=dtype)[None], torch.tensor(mesh.faces, dtype=torch.int64)


def lump(subdivisions: int = 1, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """A closed, non-convex, asymmetric surface of about 10 mm radius."""
    vertices, faces = sphere(10.0, subdivisions, dtype)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(vertices.shape, generator=generator, dtype=torch.float64).to(dtype)
    return vertices * torch.tensor([1.0, 0.7, 1.2], dtype=dtype) + 1.2 * noise, faces


def six_views(pixel_size_mm: float = 1.0, size: tuple[int, int] = (64, 64)) -> OrthographicCameras:
    return OrthographicCameras(axis_views(), torch.zeros(3), pixel_size_mm, size)


def soft_images_by_definition(
    vertices: Tensor,
    faces: Tensor,
    cameras: OrthographicCameras,
    sigma: float,
    gamma: float,
    blur_radius: float,
) -> tuple[Tensor, Tensor]:
    """Silhouette and depth [N, H, W] of one mesh [V, 3]: all pixels times all faces, in NDC, by autograd.

    Written from the definition (PyTorch3D's rasteriser and `softmax_rgb_blend`), sharing no code with the
    library.
    """
    rows, columns = cameras.size
    to_ndc = 2 / min(rows, columns)
    far = cameras.far_mm
    silhouettes, depths = [], []
    for rotation in cameras.rotation.to(vertices):
        local = (vertices - cameras.centre.to(vertices)) @ rotation.T
        xy, z = local[:, :2] / cameras.pixel_size_mm * to_ndc, local[:, 2]
        r, c = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        pixel = torch.stack([c - (columns - 1) / 2, r - (rows - 1) / 2], -1).to(vertices).view(-1, 1, 2)
        pixel = pixel * to_ndc
        corner = [xy[faces[:, k]] for k in range(3)]
        cross = lambda a, b: a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]  # noqa: E731
        area = cross(corner[1] - corner[0], corner[2] - corner[0])
        bary = torch.stack(
            [
                cross(corner[(k + 2) % 3] - corner[(k + 1) % 3], pixel - corner[(k + 1) % 3]) / area
                for k in range(3)
            ],
            -1,
        )
        square = []
        for k in range(3):
            a, b = corner[k], corner[(k + 1) % 3]
            t = (((pixel - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1)).clamp(0, 1)[..., None]
            square.append(((a + t * (b - a) - pixel) ** 2).sum(-1))
        d = torch.stack(square, -1).min(-1).values
        inside = (bary > 0).all(-1)
        d = torch.where(inside, -d, d)
        kept = (inside | (d < blur_radius)) & (area.abs() > 1e-8)
        probability = torch.where(kept, torch.sigmoid(-d / sigma), torch.zeros_like(d))
        clipped = bary.clamp(min=0)
        clipped = clipped / clipped.sum(-1, keepdim=True)
        depth = (clipped * z[faces]).sum(-1)
        zinv = torch.where(kept, (far - depth) / (2 * far), torch.zeros_like(d))
        top = zinv.max(1, keepdim=True).values.clamp(min=1e-10)
        weight = probability * torch.exp((zinv - top) / gamma)
        delta = torch.exp((1e-10 - top[:, 0]) / gamma).clamp(min=1e-10)
        depths.append(((weight * depth).sum(1) + delta * far) / (weight.sum(1) + delta))
        silhouettes.append(1 - (1 - probability).prod(1))
    shape = (len(cameras), rows, columns)
    return torch.stack(silhouettes).view(shape), torch.stack(depths).view(shape)


def box(low: np.ndarray, high: np.ndarray) -> tuple[Tensor, Tensor]:
    """Vertices [1, 8, 3] and faces [12, 3] of an axis-aligned box."""
    mesh = trimesh.creation.box(bounds=np.stack([low, high]))
    return torch.tensor(mesh.vertices, dtype=torch.float32)[None], torch.tensor(mesh.faces, dtype=torch.int64)
