"""Convolution over the edges of a graph that is found anew in every layer (Wang et al. 2019, Dynamic Graph CNN), with
weights for the neighbours that adapt to how they differ from the point, and a style that scales and shifts every
point's features (Karras et al. 2019; for points Li et al. 2021, SP-GAN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def nearest_neighbours(features: Tensor, count: int) -> Tensor:
    """[B, N, count] the nearest other points of each of N points by their features [B, N, C]; no gradient."""
    with torch.no_grad():
        apart = torch.cdist(features, features)
        apart.diagonal(dim1=1, dim2=2).fill_(torch.inf)
        return apart.topk(count, dim=2, largest=False, sorted=False).indices


def gathered(features: Tensor, index: Tensor) -> Tensor:
    """[B, N, K, C]: rows of features [B, N, C] by index [B, N, K]."""
    batch, points, count = index.shape
    flat = index.reshape(batch, points * count, 1).expand(-1, -1, features.shape[2])
    return features.gather(1, flat).view(batch, points, count, -1)


class AdaptiveEdgeConv(nn.Module):
    """features: [B, N, C_in]. Returns [B, N, C_out].

    Of each edge to a neighbour: its feature, from the point and the difference, and its weight, from the difference
    alone, by softmax over the neighbours. Their order does not matter.
    """

    def __init__(self, channels_in: int, channels_out: int, neighbours: int) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.weight = nn.Sequential(
            nn.Linear(channels_in, channels_out // 2),
            nn.LeakyReLU(0.2),
            nn.Linear(channels_out // 2, channels_out),
        )
        # One linear map of point and difference together, written as two: the point's is worked out once.
        self.of_point = nn.Linear(channels_in, channels_out)
        self.of_difference = nn.Linear(channels_in, channels_out, bias=False)
        self.out = nn.Linear(channels_out, channels_out)

    def forward(self, features: Tensor, index: Tensor | None = None) -> Tensor:
        """index: [B, N, K] neighbours, by default the nearest in feature space."""
        if index is None:
            index = nearest_neighbours(features, self.neighbours)
        difference = gathered(features, index) - features[:, :, None]
        share = torch.softmax(self.weight(difference), dim=2)
        edge = self.of_point(features)[:, :, None] + self.of_difference(difference)
        return self.out((share * nn.functional.leaky_relu(edge, 0.2)).sum(2))


class StyleNorm(nn.Module):
    """Features [B, N, C], each channel normalised over the points, then scaled and shifted by the style [B, N, S]."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm1d(channels)
        self.modulation = nn.Linear(style, 2 * channels)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        scale, shift = self.modulation(style).chunk(2, dim=2)
        normal = self.norm(features.transpose(1, 2)).transpose(1, 2)
        return (1 + scale) * normal + shift
