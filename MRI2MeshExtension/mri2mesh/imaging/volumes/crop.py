"""The fixed box around a vertebra, in the vertebra's own frame, in which a network looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class CropGrid:
    """A regular grid in a local frame (+x right, +y anterior, +z superior), millimetres.

    shape: voxels (K, J, I). spacing: mm along (x, y, z) = (i, j, k). lower: the box's corner (x, y, z), mm.
    """

    shape: tuple[int, int, int] = (48, 72, 48)
    spacing: tuple[float, float, float] = (2.0, 1.5, 1.5)
    lower: tuple[float, float, float] = (-48.0, -78.0, -42.0)

    @property
    def ijk_to_local(self) -> NDArray[np.float64]:
        """4x4 from voxel centres (i, j, k) to millimetres in the local frame."""
        matrix = np.diag([*self.spacing, 1.0])
        matrix[:3, 3] = np.asarray(self.lower) + np.asarray(self.spacing) / 2
        return matrix

    def bounds(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Lower corner and extent of the box, [3] mm each."""
        extent = [n * s for n, s in zip(reversed(self.shape), self.spacing, strict=True)]
        return (
            torch.tensor(self.lower, device=device, dtype=dtype),
            torch.tensor(extent, device=device, dtype=dtype),
        )


VERTEBRA_CROP = CropGrid()


def extract_crop(
    channels: Tensor, ijk_to_ras: NDArray[np.float64], frame: NDArray[np.float64], grid: CropGrid
) -> tuple[Tensor, Tensor]:
    """Trilinear crop of images on one grid in a local frame, with the mask of where they have data.

    channels: [C, K, J, I] float tensor on the grid of ``ijk_to_ras`` (4x4). frame: 4x4 local to RAS.
    Returns [C, K', J', I'] (0 outside the image) and [K', J', I'], 1 inside and 0 outside.
    """
    block, ijk_to_ras = crop_block(channels, ijk_to_ras, frame, grid)
    ijk_from_crop = np.linalg.inv(ijk_to_ras) @ frame @ grid.ijk_to_local
    # grid_sample with align_corners=False: voxel centre i is at (2 i + 1) / n - 1
    size = np.array(block.shape[:0:-1], dtype=np.float64)
    normalise = np.diag([*(2.0 / size), 1.0])
    normalise[:3, 3] = 1.0 / size - 1.0
    matrix = torch.from_numpy(normalise @ ijk_from_crop).to(channels.device, torch.float32)
    k, j, i = (torch.arange(n, device=channels.device, dtype=torch.float32) for n in grid.shape)
    points = (
        matrix[:3, 3]
        + k[:, None, None, None] * matrix[:3, 2]
        + j[None, :, None, None] * matrix[:3, 1]
        + i[None, None, :, None] * matrix[:3, 0]
    )
    values = torch.nn.functional.grid_sample(
        block[None].float(), points[None], padding_mode="border", align_corners=False
    )[0]
    inside = (points.abs() <= 1.0).all(-1).float()
    return values * inside, inside


def crop_block(
    channels: Tensor, ijk_to_ras: NDArray[np.float64], frame: NDArray[np.float64], grid: CropGrid
) -> tuple[Tensor, NDArray[np.float64]]:
    """The part of the image [C, K, J, I] that a crop can touch (a view of it), and its ijk_to_ras.

    A block edge that is not the image's own lies outside the crop, so that inside and outside stay what they are.
    """
    ijk_from_crop = np.linalg.inv(ijk_to_ras) @ frame @ grid.ijk_to_local
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (
        np.array(grid.shape[::-1]) - 1
    )
    corners = ends @ ijk_from_crop[:3, :3].T + ijk_from_crop[:3, 3]
    size = np.array(channels.shape[:0:-1])
    low = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, size - 1)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 3, low + 1, size)
    (i0, j0, k0), (i1, j1, k1) = low, high
    matrix = ijk_to_ras.copy()
    matrix[:3, 3] = ijk_to_ras[:3, :3] @ low + ijk_to_ras[:3, 3]
    return channels[:, k0:k1, j0:j1, i0:i1], matrix
