"""The network a user would reach for instead: a 3D U-Net that labels voxels."""

from __future__ import annotations

from mri2mesh.engines.mri2mesh.networks.mesh_net import CROP_CHANNELS
from mri2mesh.networks.unet import UNet3d

LABELS = ("background", "posterior", "body", "disc")
"""Labels of the vertebra in the middle of the crop and the disc below it; neighbours are background."""


def build_baseline() -> UNet3d:
    """Crop [B, 7, K, J, I], the same the surface network gets, to logits [B, 4, K, J, I]."""
    return UNet3d(CROP_CHANNELS, len(LABELS), (8, 16, 32, 64, 96))
