"""ResNet-18 (He et al. 2016) for one grey image, down to a code.

Group normalisation (Wu and He 2018) takes the place of batch normalisation: on a CPU batches are small.
"""

from __future__ import annotations

from torch import Tensor, nn

_GROUPS = 8
_BLOCKS_PER_STAGE = 2


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.first_norm = nn.GroupNorm(_GROUPS, channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.second_norm = nn.GroupNorm(_GROUPS, channels_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False),
                nn.GroupNorm(_GROUPS, channels_out),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.relu(self.first_norm(self.first(x)))
        return nn.functional.relu(self.second_norm(self.second(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    """image: [B, 1, H, W], at least 32 x 32. Returns [B, 8 width]. width: of the first stage, 64 as published."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        if width % _GROUPS:
            raise ValueError(f"the width must be a multiple of {_GROUPS}, got {width}")
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 7, 2, 3, bias=False),
            nn.GroupNorm(_GROUPS, width),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        stages, before = [], width
        for stage in range(4):
            channels = width << stage
            for block in range(_BLOCKS_PER_STAGE):
                stages.append(BasicBlock(before, channels, 2 if stage and not block else 1))
                before = channels
        self.stages = nn.Sequential(*stages)
        self.channels = before

    def forward(self, image: Tensor) -> Tensor:
        return self.stages(self.stem(image)).mean((2, 3))
