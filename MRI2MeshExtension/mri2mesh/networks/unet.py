"""A compact 3D U-Net: the localiser's network and the voxel-wise baseline.

Ronneberger et al. 2015 and Çiçek et al. 2016 (3D). Every channel of every image is normalised by itself, as in
nnU-Net (Isensee et al. 2021): contrasts differ and batches are small. That is instance normalisation, written as group
normalisation with one channel to a group because this keeps the channels-last layout that makes CPUs fast.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_block(channels_in: int, channels_out: int) -> nn.Sequential:
    """Two 3x3x3 convolutions, each normalised and rectified."""
    layers: list[nn.Module] = []
    for first in (channels_in, channels_out):
        layers += [
            nn.Conv3d(first, channels_out, 3, padding=1, bias=False),
            nn.GroupNorm(channels_out, channels_out),
            nn.LeakyReLU(0.01, inplace=True),
        ]
    return nn.Sequential(*layers)


class UNet3d(nn.Module):
    """Encoder-decoder with skip connections; every level halves the resolution.

    Input [B, channels_in, D, H, W], D, H, W at least ``stride``; output [B, channels_out, D, H, W] logits.
    """

    def __init__(self, channels_in: int, channels_out: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stride = 2 ** (len(widths) - 1)
        self.down = nn.ModuleList()
        previous = channels_in
        for width in widths:
            self.down.append(conv_block(previous, width))
            previous = width
        self.up = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.up.append(conv_block(previous + width, width))
            previous = width
        self.head = nn.Conv3d(previous, channels_out, 1)

    def forward(self, image: Tensor) -> Tensor:
        skips = []
        x = image
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else nn.functional.max_pool3d(x, 2))
            skips.append(x)
        skips.pop()
        for block in self.up:
            skip = skips.pop()
            # to the skip's size, not twice the own: sizes need not halve evenly
            x = nn.functional.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = block(torch.cat([x, skip], dim=1))
        return self.head(x)
