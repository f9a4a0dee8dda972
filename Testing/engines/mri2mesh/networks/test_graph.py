"""Graph convolutions: neighbours are averaged, gradients are those of the dense product."""

import torch

from mri2mesh.engines.mri2mesh.networks.graph import Adjacency, GraphConv, GraphResBlock

TRIANGLE_WITH_TAIL = torch.tensor([[0, 1], [1, 2], [0, 2], [2, 3]])


def dense_mean() -> torch.Tensor:
    return torch.tensor([[0, 0.5, 0.5, 0], [0.5, 0, 0.5, 0], [1 / 3, 1 / 3, 0, 1 / 3], [0, 0, 1, 0]])


def test_mean_over_neighbours_is_the_dense_product():
    x = torch.arange(24.0).reshape(2, 4, 3)
    mean = Adjacency(TRIANGLE_WITH_TAIL, 4).mean(x)
    assert torch.allclose(mean, dense_mean() @ x)


def test_gradient_of_the_mean_is_the_transposed_product():
    x = torch.randn(2, 4, 3, requires_grad=True)
    weight = torch.randn(2, 4, 3)
    (Adjacency(TRIANGLE_WITH_TAIL, 4).mean(x) * weight).sum().backward()
    assert torch.allclose(x.grad, dense_mean().T @ weight, atol=1e-6)


def test_a_constant_signal_stays_constant_under_the_mean():
    x = torch.full((1, 4, 2), 3.5)
    assert torch.allclose(Adjacency(TRIANGLE_WITH_TAIL, 4).mean(x), x)


def test_a_vertex_sees_its_neighbours_and_nobody_else_through_one_convolution():
    torch.manual_seed(0)
    adjacency, conv = Adjacency(TRIANGLE_WITH_TAIL, 4), GraphConv(3, 5)
    x = torch.randn(1, 4, 3)
    moved = x.clone()
    moved[0, 3] += 1.0
    change = (conv(moved, adjacency) - conv(x, adjacency)).abs().sum(-1)[0]
    assert change[3] > 0 and change[2] > 0
    assert change[0] == 0 and change[1] == 0


def test_a_residual_block_keeps_shape_and_reaches_two_edges():
    torch.manual_seed(0)
    adjacency, block = Adjacency(TRIANGLE_WITH_TAIL, 4), GraphResBlock(8)
    x = torch.randn(1, 4, 8)
    moved = x.clone()
    moved[0, 3] += torch.randn(8)
    change = (block(moved, adjacency) - block(x, adjacency)).abs().sum(-1)[0]
    assert change.shape == (4,)
    assert (change > 0).all()
