"""The network of points: graphs, invariance, gradients; it learns one case by heart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.engines.revert.networks.edge_conv import (
    AdaptiveEdgeConv,
    StyleNorm,
    gathered,
    nearest_neighbours,
)
from mri2mesh.engines.revert.networks.points_net import PointsNet, sphere
from mri2mesh.engines.revert.networks.resnet import ResNet18
from mri2mesh.engines.revert.training.examples import PointBatch
from mri2mesh.engines.revert.training.step import PointStep


def small() -> PointsNet:
    torch.manual_seed(0)
    return PointsNet(width=8, code=32, points=200)


def test_neighbours_are_the_nearest_others():
    points = torch.tensor([[[0.0], [1.0], [3.0], [7.0]]])
    index = nearest_neighbours(points, 2)
    assert [set(row) for row in index[0].tolist()] == [{1, 2}, {0, 2}, {0, 1}, {1, 2}]
    np.testing.assert_allclose(gathered(points, index)[0, 3, :, 0].sort().values, [1.0, 3.0])


def test_the_sphere_is_round_and_even():
    ball = sphere(2048)
    np.testing.assert_allclose(ball.norm(dim=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(ball.mean(0), 0.0, atol=1e-3)
    apart = torch.cdist(ball, ball).fill_diagonal_(9.0).min(1).values
    assert apart.min() > 0.5 * apart.max()


def test_a_convolution_does_not_mind_the_order_of_points():
    torch.manual_seed(1)
    layer, features = AdaptiveEdgeConv(3, 16, 5), torch.randn(2, 60, 3)
    order = torch.randperm(60)
    np.testing.assert_allclose(
        layer(features[:, order]).detach(), layer(features)[:, order].detach(), atol=1e-5
    )


def test_a_convolution_sees_the_neighbours_and_no_others():
    torch.manual_seed(1)
    layer, features = AdaptiveEdgeConv(3, 16, 4), torch.randn(1, 50, 3)
    index = nearest_neighbours(features, 4)
    moved = features.clone()
    moved[0, index[0, 0, 0]] += 0.01
    before, after = layer(features, index), layer(moved, index)
    changed = ((after - before).abs().max(2).values[0] > 0).nonzero().ravel().tolist()
    reached = {int(index[0, 0, 0])} | {k for k in range(50) if int(index[0, 0, 0]) in index[0, k].tolist()}
    assert set(changed) == reached


def test_style_alone_decides_mean_and_spread():
    norm = StyleNorm(4, 8)
    style = torch.randn(1, 1, 8).expand(1, 100, 8)
    first, second = (
        norm(scale * torch.randn(1, 100, 4) + shift, style) for scale, shift in ((1, 0), (9, 50))
    )
    np.testing.assert_allclose(first.mean(1).detach(), second.mean(1).detach(), atol=1e-4)
    np.testing.assert_allclose(first.std(1).detach(), second.std(1).detach(), rtol=1e-2)


@pytest.mark.parametrize("size", [32, 96])
def test_the_encoder_takes_any_size(size: int):
    assert ResNet18(8)(torch.randn(2, 1, size, size)).shape == (2, 64)


def test_the_published_encoder_is_a_resnet_18():
    network = ResNet18(64)
    convolutions = [
        m for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size != (1, 1)
    ]
    assert len(convolutions) + 1 == 18  # and the linear layer to the code
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(
        11.17e6, rel=0.01
    )  # 11.7 M less the classes


def test_every_part_gets_a_gradient_and_weights_are_small():
    network = small()
    found = network(torch.randn(2, 1, 32, 32), torch.randn(2, 9))
    assert found.shape.shape == (2, 200, 3) and found.centre.shape == (2, 2) and found.depth.shape == (2,)
    (found.shape.square().sum() + found.centre.sum() + found.depth.sum()).backward()
    without = [
        name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()
    ]
    assert not without
    stored = sum(value.numel() for value in PointsNet().state_dict().values())
    assert 2 * stored < 4e6  # bytes at half precision


def test_a_film_is_seen_for_itself():
    """What else is in the batch changes nothing."""
    network = small().eval()
    image, camera = torch.randn(3, 1, 32, 32), torch.randn(3, 9)
    with torch.inference_mode():
        np.testing.assert_allclose(
            network(image, camera).shape[1], network(image[1:2], camera[1:2]).shape[0], atol=1e-4
        )


def test_it_learns_one_case_by_heart():
    """A dumbbell aside of the middle, from noise: the error falls to a tenth."""
    torch.manual_seed(3)
    network, step = small(), PointStep()
    ball = sphere(300) * torch.tensor([0.5, 0.3, 0.3])
    target = torch.cat([ball + torch.tensor([0.8, 0, 0]), ball - torch.tensor([0.8, 0.2, 0])])[None]
    batch = PointBatch(
        torch.randn(1, 1, 32, 32), torch.ones(1, 9), target, torch.tensor([[0.4, -0.3]]), torch.tensor([0.5]),
        torch.tensor([True]),
    )  # fmt: skip
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(90):
        loss, parts = step(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(parts)
    assert losses[-1]["shape"] < 0.1 * losses[0]["shape"]
    assert losses[-1]["centre"] < 0.1 and losses[-1]["depth"] < 0.1


def test_nothing_is_learned_of_a_place_that_is_not_known():
    network, step = small(), PointStep()
    batch = PointBatch(
        torch.randn(1, 1, 32, 32), torch.zeros(1, 9), torch.randn(1, 50, 3), torch.full((1, 2), 9.0),
        torch.tensor([9.0]), torch.tensor([False]),
    )  # fmt: skip
    _, parts = step(network, batch)
    assert parts["centre"] == parts["depth"] == 0.0 and parts["shape"] > 0
