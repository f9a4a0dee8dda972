"""What the localiser predicts, and on which grid: shared by its training and its use."""

from __future__ import annotations

from enum import IntEnum

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.networks.unet import UNet3d

SPACING_MM = (4.0, 2.0, 2.0)
"""Voxel size the localiser works at, along x, y, z (RAS): coarse from right to left, as clinical slices are.

At 3 mm in the sagittal plane the edges it saw were most of the surfaces' error."""

HEAT_SIGMA_MM = 6.0
"""Standard deviation of the Gaussian that marks a centre."""


class Heat(IntEnum):
    """Channels after those of `Semantic`: logits of heat maps, a Gaussian at each centre."""

    BODY = 0
    DISC = 1
    S1 = 2


WIDTHS = (8, 16, 32, 64, 96)


def build_localiser(widths: tuple[int, ...] = WIDTHS) -> UNet3d:
    """Normalised image [B, 1, K, J, I] in RAS at SPACING_MM to [B, 9, K, J, I]: six semantic and three heat logits."""
    return UNet3d(1, len(Semantic) + len(Heat), widths)
