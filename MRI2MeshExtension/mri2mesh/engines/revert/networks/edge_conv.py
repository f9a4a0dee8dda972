"""Convolution over the edges of a graph that is found anew in every layer (Wang et al. 2019, Dynamic Graph CNN), with
weights for the neighbours that adapt to how they differ from the point, and a style that scales and shifts every
point's features (Karras et al. 2019; for points Li et al. 2021, SP-GAN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_GROUP = 16
"""Points that are looked at together, first by the nearest of them alone."""


def nearest_neighbours(features: Tensor, count: int) -> Tensor:
    """[B, N, count] the nearest other points of each of N points by their features [B, N, C]; no gradient.

    The ``count`` groups with the nearest points hold the ``count`` nearest of all, so that only they are searched: six
    times as fast as a search of all.
    """
    with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
        features = features.float()
        squares = features.square().sum(2)
        # |b|^2 - 2 a.b: the distance from a, squared, but for what is the same for all b.
        apart = torch.baddbmm(squares[:, None], features, features.transpose(1, 2), alpha=-2.0)
        apart.diagonal(dim1=1, dim2=2).fill_(torch.inf)
        groups = apart.shape[2] // _GROUP
        if apart.shape[2] % _GROUP or groups <= count:
            return apart.topk(count, dim=2, largest=False, sorted=False).indices
        grouped = apart.unflatten(2, (_GROUP, groups))
        near = grouped.amin(2).topk(count, dim=2, largest=False, sorted=False).indices
        held = grouped.gather(3, near[:, :, None].expand(-1, -1, _GROUP, -1)).flatten(2)
        index = held.topk(count, dim=2, largest=False, sorted=False).indices
        return index // count * groups + near.gather(2, index % count)


def gathered(features: Tensor, index: Tensor) -> Tensor:
    """[B, N, K, C]: rows of features [B, N, C] by index [B, N, K]."""
    batch, points, count = index.shape
    rows = index + features.shape[1] * torch.arange(batch, device=index.device)[:, None, None]
    return features.flatten(0, 1).index_select(0, rows.flatten()).view(batch, points, count, -1)


def gathered_difference(values: Tensor, index: Tensor) -> Tensor:
    """[B, N, K, C]: the values [B, N, C] of each point's neighbours [B, N, K] less its own."""
    return gathered(values, index) - values[:, :, None]


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
        # What is linear in the difference of two points is worked out once for each point.
        first, activation, second = self.weight
        assert isinstance(first, nn.Linear)
        slope = gathered_difference(nn.functional.linear(features, first.weight), index) + first.bias
        share = torch.softmax(second(activation(slope)), dim=2)
        edge = gathered_difference(self.of_difference(features), index) + self.of_point(features)[:, :, None]
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
