"""One training step of the points: Chamfer distance of the shapes, and the place where the geometry is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mri2mesh.engines.revert.networks.points_net import CodedPoints
from mri2mesh.engines.revert.training.examples import PointBatch
from mri2mesh.learning.losses import chamfer_distance


@dataclass(frozen=True)
class PointWeights:
    """Of the parts of the loss, beside the Chamfer distance in units of `crop.UNIT_MM` squared."""

    shape: float = 10.0
    centre: float = 1.0
    depth: float = 0.5


class PointStep:
    """Called by `learning.loop.train_loop`."""

    def __init__(self, weights: PointWeights | None = None) -> None:
        self.weights = weights or PointWeights()

    def __call__(self, network: nn.Module, batch: object) -> tuple[Tensor, dict[str, float]]:
        weights = self.weights
        batch = cast(PointBatch, batch).to(next(network.parameters()).device)
        found: CodedPoints = network(batch.image, batch.camera)
        known = batch.known.float()
        count = known.sum().clamp_min(1)
        off = (found.centre - batch.centre).norm(dim=1)
        deep = (found.depth - batch.depth).abs()
        parts = {
            "shape": weights.shape * chamfer_distance(found.shape.float(), batch.shape)[0],
            "centre": weights.centre * (off * known).sum() / count,
            "depth": weights.depth * (deep * known).sum() / count,
        }
        return torch.stack(list(parts.values())).sum(), {
            name: float(value.detach()) for name, value in parts.items()
        }
