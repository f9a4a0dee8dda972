"""Line integrals through a volume in plain torch, a few rows at a time; derivatives by autograd."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample
from torch.utils.checkpoint import checkpoint

from mri2mesh.rendering.settings import FLAT

SAMPLES_AT_ONCE = 1 << 21


def line_integrals(
    volume: Tensor, origin: Tensor, direction: Tensor, path: Tensor, method: str, step_mm: float
) -> Tensor:
    """[N, H, W] integral over depth of `volume` [K, J, I] (zero outside) along origin + t direction, t > 0.

    origin: [N, 3], direction: [N, H, W, 3], (i, j, k) in voxels, t in mm of depth; path: [N, H, W] mm per mm of depth.
    """
    integrate = _siddon if method == "siddon" else _trilinear
    per_ray = 2 * sum(volume.shape)
    flat, paths = direction.flatten(1, 2), path.flatten(1).expand(len(origin), -1)
    step = max(1, SAMPLES_AT_ONCE // per_ray)
    views = []
    for view in range(len(origin)):
        parts = [
            checkpoint(
                integrate,
                volume,
                origin[view],
                flat[view, n : n + step],
                paths[view, n : n + step],
                step_mm,
                use_reentrant=False,
            )
            for n in range(0, flat.shape[1], step)
        ]
        views.append(torch.cat(parts))
    return torch.stack(views).view(direction.shape[:3])


def _sampled(volume: Tensor, ijk: Tensor, mode: str) -> Tensor:
    """[..., 3] (i, j, k) to [...]: values, zero outside."""
    size = torch.tensor(volume.shape[::-1], dtype=ijk.dtype, device=ijk.device)
    grid = (2 * ijk + 1) / size - 1
    image = volume[None, None].to(ijk.dtype)
    found = grid_sample(
        image, grid.view(1, 1, 1, -1, 3), mode=mode, padding_mode="zeros", align_corners=False
    )
    return found.view(ijk.shape[:-1])


def _box(volume: Tensor, origin: Tensor, direction: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """[R] t at which each ray enters the box of voxels, `margin` voxels larger, and leaves it."""
    size = torch.tensor(volume.shape[::-1], dtype=origin.dtype, device=origin.device)
    safe = torch.where(direction.abs() < FLAT, torch.full_like(direction, FLAT), direction)
    first, second = (-0.5 - margin - origin) / safe, (size - 0.5 + margin - origin) / safe
    near = torch.minimum(first, second).amax(-1).clamp_min(0)
    return near, torch.maximum(first, second).amin(-1)


def _trilinear(volume: Tensor, origin: Tensor, direction: Tensor, path: Tensor, step_mm: float) -> Tensor:
    near, far = (edge.detach() for edge in _box(volume, origin, direction, 0.5))
    apart = step_mm / path
    first, last = (near / apart - 0.5).ceil(), (far / apart - 0.5).floor()
    most = int((last - first).clamp_min(0).max()) + 1
    number = first[:, None] + torch.arange(most, dtype=path.dtype, device=path.device)
    t = (number + 0.5) * apart[:, None]
    value = _sampled(volume, origin + t[..., None] * direction[:, None], "bilinear")
    return (value * (number <= last[:, None])).sum(-1) * apart


def _siddon(volume: Tensor, origin: Tensor, direction: Tensor, path: Tensor, step_mm: float) -> Tensor:
    near, far = _box(volume, origin, direction, 0.0)
    crossings = []
    for axis, size in enumerate(volume.shape[::-1]):
        planes = torch.arange(size + 1, dtype=origin.dtype, device=origin.device) - 0.5
        along = direction[:, axis : axis + 1]
        flat = along.abs() < FLAT
        t = (planes - origin[axis]) / torch.where(flat, torch.ones_like(along), along)
        crossings.append(torch.where(flat, near[:, None], t))
    t = torch.cat(crossings, 1)
    t = torch.minimum(torch.maximum(t, near[:, None]), torch.maximum(near, far)[:, None]).sort(1).values
    middle = ((t[:, 1:] + t[:, :-1]) / 2).detach()
    value = _sampled(volume, (origin + middle[..., None] * direction[:, None]).detach(), "nearest")
    return (value * t.diff(dim=1)).sum(1)
