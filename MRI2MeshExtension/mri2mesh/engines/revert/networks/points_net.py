"""The network of 3D-ReVert as it is described: an image encoder, a code, and a sphere of points that graph convolutions
turn into the surface of a vertebra. Beside the points it says where the vertebra is.

What the public code does otherwise, and this does not: normalise away scale and place. All is in the frame of the crop
(`engines.revert.crop`), so that it goes back to patient millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from mri2mesh.engines.revert.networks.edge_conv import AdaptiveEdgeConv, StyleNorm, nearest_neighbours
from mri2mesh.engines.revert.networks.resnet import ResNet18

POINTS = 2048
NEIGHBOURS = 10
CHANNELS = (3, 32, 64, 128)
CAMERA_NUMBERS = 9


@dataclass(frozen=True)
class CodedPoints:
    """shape: [B, N, 3] about the vertebra's centre, as it would be at the reference distance, in units of
    `crop.UNIT_MM`. centre: [B, 2] of the vertebra, on the plane at that distance, in the same units. depth: [B] ten
    times the logarithm of the true distance over the reference's."""

    shape: Tensor
    centre: Tensor
    depth: Tensor


def sphere(count: int) -> Tensor:
    """[count, 3] points on the unit sphere, evenly spread along a spiral (Fibonacci lattice)."""
    k = torch.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    radius = torch.sqrt(1 - z * z)
    return torch.stack([radius * torch.cos(turn), radius * torch.sin(turn), z], 1).float()


class PointDecoder(nn.Module):
    """code: [B, D]. Returns [B, N, 3]: the points of a sphere, moved."""

    sphere: Tensor
    first_index: Tensor

    def __init__(
        self, code: int, points: int = POINTS, neighbours: int = NEIGHBOURS, style: int = 128
    ) -> None:
        super().__init__()
        ball = sphere(points)
        self.register_buffer("sphere", ball, persistent=False)
        # The sphere's own graph is always the same.
        self.register_buffer("first_index", nearest_neighbours(ball[None], neighbours)[0], persistent=False)
        self.of_code, self.of_place = nn.Linear(code, style), nn.Linear(3, style, bias=False)
        self.style = nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(style, style), nn.LeakyReLU(0.2))
        pairs = list(pairwise(CHANNELS))
        self.blocks = nn.ModuleList(AdaptiveEdgeConv(a, b, neighbours) for a, b in pairs)
        self.norms = nn.ModuleList(StyleNorm(b, style) for _, b in pairs)
        self.head = nn.Sequential(
            nn.Linear(CHANNELS[-1] + style, CHANNELS[-1]),
            nn.LeakyReLU(0.2),
            nn.Linear(CHANNELS[-1], CHANNELS[-1] // 2),
            nn.LeakyReLU(0.2),
            nn.Linear(CHANNELS[-1] // 2, 3),
        )

    def forward(self, code: Tensor) -> Tensor:
        ball = self.sphere.expand(len(code), -1, -1)
        style = self.style(self.of_code(code)[:, None] + self.of_place(ball))
        x, index = ball, self.first_index.expand(len(code), -1, -1)
        for number, (block, norm) in enumerate(zip(self.blocks, self.norms, strict=True)):
            x = nn.functional.leaky_relu(norm(block(x, None if number else index), style), 0.2)
        return ball + self.head(torch.cat([x, style], 2))


class PointsNet(nn.Module):
    """image: [B, 1, H, W]. camera: [B, CAMERA_NUMBERS], see `engines.revert.crop.camera_numbers`.

    width: of the encoder's first stage, 64 as published. code: length of the code.
    """

    def __init__(self, width: int = 24, code: int = 192, points: int = POINTS) -> None:
        super().__init__()
        self.width, self.code, self.points = width, code, points
        self.encoder = ResNet18(width)
        self.of_camera = nn.Sequential(nn.Linear(CAMERA_NUMBERS, 64), nn.ReLU())
        self.to_code = nn.Linear(self.encoder.channels + 64, code)
        self.decoder = PointDecoder(code, points)
        self.place = nn.Sequential(nn.Linear(code, 64), nn.ReLU(), nn.Linear(64, 3))

    def forward(self, image: Tensor, camera: Tensor) -> CodedPoints:
        seen = torch.cat([self.encoder(image), self.of_camera(camera)], 1)
        code = nn.functional.leaky_relu(self.to_code(seen), 0.2)
        place = self.place(code)
        return CodedPoints(self.decoder(code), place[:, :2], place[:, 2])
