"""The network a user would reach for instead: a 3D U-Net that labels voxels."""

from __future__ import annotations

from mri2mesh.networks.unet import UNet3d

LABELS = ("background", "posterior", "body", "disc")
"""Of the vertebra in the middle of the crop and the disc below it; neighbours are background."""


def build_baseline() -> UNet3d:
    """Crop [B, 2, K, J, I] (image, inside) to logits [B, 4, K, J, I]; about as many weights as the surface network."""
    return UNet3d(2, len(LABELS), (8, 24, 64, 128, 192))
