"""A network that says for every pixel and bone whether the bone is there, how deep its two faces lie, and where on the
bone they are: that of 3DDX (Gu et al. 2024), for the bones of any region.

A residual U-Net (Ronneberger et al. 2015; He et al. 2016). Film pixels are first put together two by two, since truth
is learned on that grid; what is known of the camera comes in as further channels, because millimetres cannot be read
from pixels without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

GRID = 2
"""Pixels of the film to a pixel of the maps, along each side."""
CANONICAL_MM = 100.0
"""What one unit of the canonical coordinates stands for."""
WIDTHS = (24, 48, 96, 160, 224)
_SIDES = 2
_CELLS = 3
"""Parts of the film along each side that numbers are read from: those of 96 pixels at the coarsest level."""


@dataclass(frozen=True)
class Maps:
    """mask: [B, L, H, W] logits. log_depth: [B, L, 2, H, W], of the depth over the reference depth, of the face nearest
    to the source and of the farthest. canonical: [B, L, 2, 3, H, W], places on the mean bone, in `CANONICAL_MM`.
    numbers: [B, N], what is said of the film as a whole; None where nothing is."""

    mask: Tensor
    log_depth: Tensor
    canonical: Tensor
    numbers: Tensor | None = None


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.first_norm = nn.GroupNorm(8, channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.second_norm = nn.GroupNorm(8, channels_out)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.relu(self.first_norm(self.first(x)), inplace=True)
        y = self.second_norm(self.second(y))
        return nn.functional.relu(y + self.shortcut(x), inplace=True)


class DepthNet(nn.Module):
    """film: [B, 1, H, W], H and W multiples of 32. camera: [B, C, H / 2, W / 2], what is known beside the film, as
    `engines.dense_maps.inputs` has it. Returns `Maps` of so many bones on the half grid. widths: channels from the half
    grid downwards. numbers: how many are said of the film as a whole besides."""

    def __init__(self, bones: int, channels: int, widths: tuple[int, ...] = WIDTHS, numbers: int = 0) -> None:
        super().__init__()
        if any(width % 8 or width < 16 for width in widths):
            raise ValueError(
                f"widths must be multiples of 8 from 16 upwards, got {widths}"
            )  # groups of norms
        self.widths, self.bones, self.channels = widths, bones, channels
        self.stem = nn.Sequential(
            nn.Conv2d(GRID**2 + channels, widths[0], 3, padding=1, bias=False),
            nn.GroupNorm(8, widths[0]),
            nn.ReLU(inplace=True),
        )
        self.down = nn.ModuleList(ResidualBlock(a, b, 2) for a, b in pairwise(widths))
        # The whole film decides what is what: one look over all of it at the coarsest level.
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], widths[-1], 1), nn.ReLU())
        self.lift = nn.Conv2d(widths[-1], widths[-1], 1)
        ups = list(reversed(widths))
        self.up = nn.ModuleList(ResidualBlock(a + b, b) for a, b in pairwise(ups[:-1]))
        self.last = nn.Sequential(
            nn.Conv2d(widths[1] + widths[0], 2 * widths[0], 3, padding=1, bias=False),
            nn.GroupNorm(8, 2 * widths[0]),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Conv2d(2 * widths[0], bones * (1 + _SIDES + 3 * _SIDES), 1)
        self.whole = _numbers_head(widths[-1], numbers) if numbers else None

    def forward(self, film: Tensor, camera: Tensor) -> Maps:
        x = torch.cat([nn.functional.pixel_unshuffle(film, GRID), camera], 1)
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        skips = [x]
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = torch.relu(self.lift(x) + self.context(x))
        numbers = None
        if self.whole is not None:
            with torch.autocast(x.device.type, enabled=False):  # millimetres need more than eight bits
                numbers = self.whole(x.float())
        skips.pop()
        for block in self.up:
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips.pop()], 1))
        x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
        out = self.head(self.last(torch.cat([x, skips.pop()], 1))).float()
        rows, columns = out.shape[-2:]
        mask, depth, canonical = out.split([self.bones, _SIDES * self.bones, 3 * _SIDES * self.bones], 1)
        return Maps(
            mask,
            depth.view(-1, self.bones, _SIDES, rows, columns) * 0.1,
            canonical.view(-1, self.bones, _SIDES, 3, rows, columns),
            numbers,
        )


def _numbers_head(channels: int, numbers: int) -> nn.Sequential:
    """Numbers from the coarsest features, which keep where in the film they are."""
    return nn.Sequential(
        nn.Conv2d(channels, 32, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(_CELLS),
        nn.Flatten(),
        nn.Linear(32 * _CELLS**2, 160),
        nn.ReLU(),
        nn.Linear(160, numbers),
    )
