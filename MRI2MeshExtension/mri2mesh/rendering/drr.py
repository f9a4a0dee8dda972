"""Digitally reconstructed radiographs: line integrals through a CT volume, differentiable to poses and geometry."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from mri2mesh.errors import InputError
from mri2mesh.rendering import checks
from mri2mesh.rendering.backends import choose
from mri2mesh.rendering.projective import ProjectiveCameras, inverses

WATER_PER_MM = 0.0206
"""Linear attenuation of water at 60 keV (NIST XCOM), an effective energy of diagnostic X-rays."""


def attenuation_from_hu(hu: Tensor, water_per_mm: float = WATER_PER_MM) -> Tensor:
    """Linear attenuation per mm of CT numbers, by their definition; nothing below air."""
    return (water_per_mm * (1 + hu / 1000)).clamp_min(0)


def render_drr(
    volume: Tensor,
    ijk_to_ras: Tensor,
    cameras: ProjectiveCameras,
    *,
    method: Literal["siddon", "trilinear"] = "trilinear",
    step_mm: float = 1.0,
    backend: str = "auto",
) -> Tensor:
    """[N, H, W] integrals of the volume along the rays: attenuation when it is in 1/mm; exp(-it) is what is left.

    volume: [K, J, I], zero outside. ijk_to_ras: [4, 4]. method: "siddon" is exact for voxels as boxes (Siddon 1985),
    its derivative jumps where rays pass voxel edges; "trilinear" samples every step_mm, smoothly: the choice for
    fits. Derivatives go to the camera and to ijk_to_ras, not to the volume.
    Raises InputError for a volume that is not 3D, a step that is not positive, cameras for several meshes, or a source
    inside the volume (on CUDA its images are NaN: see `checks`).
    """
    if volume.ndim != 3 or cameras.matrix.ndim != 3:
        raise InputError(
            f"a DRR needs one volume [K, J, I] and views [N, 3, 4], got {tuple(volume.shape)} and"
            f" {tuple(cameras.matrix.shape)}"
        )
    if not step_mm > 0:
        raise InputError(f"the step of a DRR must be positive, got {step_mm:g} mm")
    origin, direction = _rays(ijk_to_ras, cameras)
    inside = _inside(origin, volume)
    if checks.asked_at_once(inside) and bool(inside.any()):
        raise InputError("the X-ray source is inside the volume: check the geometry")
    path = cameras.path_per_depth()
    integrals = choose(backend, volume.device).line_integrals
    images = integrals(volume, origin, direction, path.detach(), method, step_mm) * path
    return images if checks.asked_at_once(inside) else checks.mark(images, inside)


def _inside(origin: Tensor, volume: Tensor) -> Tensor:
    """[N]: which of the sources [N, 3] lie in the box of the volume's voxels."""
    within = [
        (origin[:, axis] > -0.5) & (origin[:, axis] < size - 0.5)
        for axis, size in enumerate(volume.shape[::-1])
    ]
    return within[0] & within[1] & within[2]


def _rays(ijk_to_ras: Tensor, cameras: ProjectiveCameras) -> tuple[Tensor, Tensor]:
    """Sources [N, 3] and directions [N, H, W, 3] per mm of depth, (i, j, k) in voxels."""
    matrix = cameras.matrix
    to_ijk = inverses(ijk_to_ras.to(matrix))
    rows, columns = cameras.size
    row, column = torch.meshgrid(
        torch.arange(rows, device=matrix.device), torch.arange(columns, device=matrix.device), indexing="ij"
    )
    pixel = torch.stack([column, row, torch.ones_like(row)], -1).to(matrix)
    outwards = inverses(matrix[..., :3])
    source = -(outwards @ matrix[..., 3:])[..., 0]
    origin = source @ to_ijk[:3, :3].T + to_ijk[:3, 3]
    direction = torch.einsum("nij,hwj->nhwi", to_ijk[:3, :3] @ outwards, pixel)
    return origin, direction
