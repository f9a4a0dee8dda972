"""3D ResNet-50 with a top-down path: the image encoder of MRI2Mesh.

Strided stem and bottleneck stages [3, 4, 6, 3] (He et al. 2016; in 3D, Chen et al. 2019, Med3D), normalised by
groups because batches are small. A top-down path (Lin et al. 2017, feature pyramids) fuses the levels: what a vertex
samples from a fine level already knows what the coarse levels recognised.
"""

from __future__ import annotations

from torch import Tensor, nn

EXPANSION = 4
STAGES = (3, 4, 6, 3)


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(8, channels), channels)


class Bottleneck(nn.Module):
    """1x1x1 reduce, 3x3x3, 1x1x1 expand, with a shortcut."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * EXPANSION
        self.body = nn.Sequential(
            nn.Conv3d(channels_in, width, 1, bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            nn.Conv3d(width, width, 3, stride=stride, padding=1, bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            nn.Conv3d(width, out, 1, bias=False),
            norm(out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != out:
            self.shortcut = nn.Sequential(
                nn.Conv3d(channels_in, out, 1, stride=stride, bias=False), norm(out)
            )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.body(x) + self.shortcut(x))


class ResNet50Encoder(nn.Module):
    """Image [B, channels_in, D, H, W] to a pyramid of feature maps and one global vector.

    ``base_width`` is the stem's width (64 in the original network). Returns (levels, pooled): levels from fine to
    coarse at strides 2, 4, 8, 16 and 32, the stem with ``base_width`` channels and the others with
    ``fused_channels``; pooled is [B, base_width * 32].
    """

    def __init__(self, channels_in: int, base_width: int = 16, fused_channels: int = 32) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(channels_in, base_width, 5, stride=2, padding=2, bias=False),
            norm(base_width),
            nn.ReLU(inplace=True),
        )
        self.pool = nn.MaxPool3d(3, stride=2, padding=1)
        self.stages = nn.ModuleList()
        self.lateral = nn.ModuleList()
        self.smooth = nn.ModuleList()
        channels = base_width
        for index, blocks in enumerate(STAGES):
            width = base_width * 2**index
            stage = [Bottleneck(channels, width, stride=1 if index == 0 else 2)]
            channels = width * EXPANSION
            stage += [Bottleneck(channels, width, stride=1) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(*stage))
            self.lateral.append(nn.Conv3d(channels, fused_channels, 1))
            self.smooth.append(
                nn.Sequential(nn.Conv3d(fused_channels, fused_channels, 3, padding=1), nn.ReLU(inplace=True))
            )
        self.level_channels = (base_width, *[fused_channels] * len(STAGES))
        self.pooled_channels = channels

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        stem = self.stem(image)
        x = self.pool(stem)
        stages = []
        for stage in self.stages:
            x = stage(x)
            stages.append(x)
        pooled = x.mean(dim=(2, 3, 4))
        fused: Tensor | None = None
        levels: list[Tensor] = []
        for features, lateral, smooth in reversed(list(zip(stages, self.lateral, self.smooth, strict=True))):
            level = lateral(features)
            if fused is not None:
                level = level + nn.functional.interpolate(fused, size=level.shape[2:], mode="nearest")
            fused = smooth(level)
            levels.insert(0, fused)
        return [stem, *levels], pooled
