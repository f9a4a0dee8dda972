"""Graph convolutions on the vertices of a template."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn


def mean_adjacency(edges: Tensor, n_vertices: int) -> Tensor:
    """Sparse CSR [V, V] whose rows average a vertex's neighbours. ``edges``: [E, 2] undirected, each once."""
    both = torch.cat([edges, edges.flip(1)])
    degree = torch.bincount(both[:, 0], minlength=n_vertices).clamp(min=1)
    values = 1.0 / degree[both[:, 0]].float()
    return torch.sparse_coo_tensor(both.T, values, (n_vertices, n_vertices)).coalesce().to_sparse_csr()


class _NeighbourMean(torch.autograd.Function):
    """Sparse product whose backward uses the transpose made once, not at every step."""

    @staticmethod
    def forward(ctx, x: Tensor, adjacency: Tensor, transposed: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.transposed = transposed
        return adjacency @ x

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        return ctx.transposed @ gradient, None, None


class Adjacency:
    """Neighbour averaging on one graph, for batches of vertex features."""

    def __init__(self, edges: Tensor, n_vertices: int) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message="Sparse "
            )  # "beta state": products are all that is used of it
            self.matrix = mean_adjacency(edges, n_vertices)
            self.transposed = self.matrix.to_sparse_coo().t().coalesce().to_sparse_csr()

    def to(self, device: torch.device) -> Adjacency:
        self.matrix = self.matrix.to(device)
        self.transposed = self.transposed.to(device)
        return self

    def mean(self, x: Tensor) -> Tensor:
        """[B, V, C] to the mean over each vertex's neighbours, [B, V, C] (float32, as sparse products need)."""
        batch, vertices, channels = x.shape
        with torch.autocast(x.device.type, enabled=False):
            flat = x.float().transpose(0, 1).reshape(vertices, batch * channels)
            mean = _NeighbourMean.apply(flat, self.matrix, self.transposed)
        return mean.reshape(vertices, batch, channels).transpose(0, 1)


class GraphConv(nn.Module):
    """x_i W + mean of neighbours x_j U + b (Kipf and Welling 2017 with a separate self weight, as in Pixel2Mesh)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.own = nn.Linear(channels_in, channels_out)
        self.neighbours = nn.Linear(channels_in, channels_out, bias=False)

    def forward(self, x: Tensor, adjacency: Adjacency) -> Tensor:
        return self.own(x) + adjacency.mean(self.neighbours(x))


class GraphResBlock(nn.Module):
    """Two graph convolutions with a shortcut; layer normalisation keeps depth trainable."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.first = GraphConv(channels, channels)
        self.second = GraphConv(channels, channels)

    def forward(self, x: Tensor, adjacency: Adjacency) -> Tensor:
        y = torch.relu(self.first(self.norm(x), adjacency))
        return x + self.second(y, adjacency)
