"""Perspective views in torch: `XrayCamera`s as matrices that gradients flow through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering import checks

NEAREST_MM = 1.0
"""Nothing may come nearer to the source than this: what lies beside or behind it has no picture."""


@dataclass(frozen=True)
class ProjectiveCameras:
    """N perspective views with a common image size.

    matrix: [N, 3, 4] or [B, N, 3, 4] (one set for each mesh of a batch), from RAS (x, y, z, 1) to (column * depth, row
    * depth, depth), as `XrayCamera.matrix`; depth in mm from the source along the beam. Differentiable: make it from
    parameters and they receive gradients; to render on a GPU, make it there. size: (rows, columns). near_mm, far_mm:
    the planes of the soft depth.
    """

    matrix: Tensor
    size: tuple[int, int]
    near_mm: float = NEAREST_MM
    far_mm: float = 2000.0

    perspective = True

    def __post_init__(self) -> None:
        if self.matrix.ndim not in (3, 4) or self.matrix.shape[-2:] != (3, 4):
            raise InputError(f"camera matrices must be [N, 3, 4], got {tuple(self.matrix.shape)}")
        if min(self.size) < 1:
            raise InputError("the image size of a camera must be positive")

    @classmethod
    def of(cls, cameras: Sequence[XrayCamera]) -> ProjectiveCameras:
        """Views of one size; the far plane is the farthest detector. Raises InputError where the sizes differ."""
        sizes = {camera.size for camera in cameras}
        if len(sizes) != 1:
            raise InputError(f"views rendered together need one image size, got {sorted(sizes)}")
        matrix = torch.from_numpy(np.stack([camera.matrix for camera in cameras]))
        return cls(matrix, sizes.pop(), far_mm=max(camera.source_to_detector_mm for camera in cameras))

    def __len__(self) -> int:
        return int(self.matrix.shape[-3])

    @property
    def ndc_per_pixel(self) -> float:
        """As of `OrthographicCameras`."""
        return 2.0 / min(self.size)

    def project(self, points: Tensor) -> Tensor:
        """[B, V, 3] mm to [B, N, V, 3] (column, row, depth in mm).

        Raises InputError for a point less than NEAREST_MM in front of the source, or not finite; on CUDA it becomes NaN
        (see `checks`).
        """
        matrix = self.matrix.to(points)
        inner, shift = matrix[..., :3], matrix[..., 3]
        indices = "bnij" if matrix.ndim == 4 else "nij"
        homogeneous = torch.einsum(f"{indices},bvj->bnvi", inner, points)
        homogeneous = homogeneous + shift[..., None, :]
        depth = homogeneous[..., 2:]
        in_front = depth > NEAREST_MM  # false also where it is not a number
        if not checks.asked_at_once(depth):
            depth = depth.masked_fill(~in_front, torch.nan)
        elif not bool(in_front.all()):
            raise InputError(
                "part of the surface is beside or behind the X-ray source, or not finite: check the geometry"
            )
        return torch.cat([homogeneous[..., :2] / depth, depth], -1)

    def project_directions(self, points: Tensor, directions: Tensor) -> Tensor:
        """[B, N, P, V, 3]: how (column, row, depth) change when points [B, V, 3] move along directions [B, P, V, 3]."""
        inner = self.matrix[..., :3].to(directions)
        batch, n, count, _ = directions.shape
        inner = inner.expand(batch, *inner.shape[-3:])
        moved = directions.reshape(batch, 1, n * count, 3) @ inner.mT
        moved = moved.view(batch, len(self), n, count, 3)
        screen = self.project(points).to(directions)[:, :, None]
        moved[..., :2] -= screen[..., :2] * moved[..., 2:]
        moved[..., :2] /= screen[..., 2:]
        return moved

    def path_per_depth(self) -> Tensor:
        """[N, H, W] or [B, N, H, W]: mm along the ray of each pixel centre per mm of depth, at least 1."""
        matrix = self.matrix
        rows, columns = self.size
        column = torch.arange(columns, device=matrix.device).to(matrix)
        row = torch.arange(rows, device=matrix.device).to(matrix)[:, None]
        # |inner^-1 pixel|, as a quadratic form: three numbers a pixel in place of a solve
        inverse = inverses(matrix[..., :3])
        form = (inverse.transpose(-1, -2) @ inverse)[..., None, None]
        along_column = (
            form[..., 0, 0, :, :] * column**2 + 2 * form[..., 0, 2, :, :] * column + form[..., 2, 2, :, :]
        )
        along_row = form[..., 1, 1, :, :] * row**2 + 2 * form[..., 1, 2, :, :] * row
        squared = along_column + along_row + 2 * form[..., 0, 1, :, :] * column * row
        return squared.clamp_min(1e-12).sqrt()

    def handedness(self) -> Tensor:
        """[N] or [B, N]: 1 for images as the source sees the patient, -1 for their mirror images."""
        column, row, depth = self.matrix[..., :3].detach().unbind(-2)
        return (torch.linalg.cross(column, row) * depth).sum(-1).sign()


def inverses(matrices: Tensor) -> Tensor:
    """[..., 3, 3] inverse matrices. Raises torch.linalg.LinAlgError for a singular one, on CUDA nothing: to know is to
    wait."""
    return torch.linalg.inv_ex(matrices, check_errors=checks.asked_at_once(matrices)).inverse
