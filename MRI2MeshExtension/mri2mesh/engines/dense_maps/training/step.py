"""One training step: the losses of masks, depths and places on the bone together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mri2mesh.engines.dense_maps.losses import (
    DepthLoss,
    absolute_loss,
    canonical_loss,
    depth_loss,
    mask_loss,
)
from mri2mesh.engines.dense_maps.network import Maps
from mri2mesh.engines.dense_maps.training.batches import Batch


@dataclass(frozen=True)
class StepOptions:
    """kind, centred: as of `losses.depth_loss`. The weights bring the parts to one size when they are a few
    millimetres off. absolute: of the mean absolute error of log depth, which no scale-invariant loss asks for."""

    kind: DepthLoss = "independent"
    centred: bool = False
    depth: float = 30.0
    absolute: float = 20.0
    canonical: float = 4.0


class MapsStep:
    """Called by `learning.loop.train_loop`."""

    def __init__(self, options: StepOptions | None = None) -> None:
        self.options = options or StepOptions()

    def __call__(self, network: nn.Module, batch: object) -> tuple[Tensor, dict[str, float]]:
        options, batch = self.options, cast(Batch, batch)
        maps: Maps = network(batch.film, batch.camera)
        parts = {
            "mask": mask_loss(maps.mask, batch.mask),
            "depth": options.depth
            * depth_loss(maps.log_depth, batch.log_depth, batch.mask, options.kind, centred=options.centred),
            "canonical": options.canonical * canonical_loss(maps.canonical, batch.canonical, batch.mask),
        }
        if options.absolute:
            parts["absolute"] = options.absolute * absolute_loss(
                maps.log_depth, batch.log_depth, batch.mask, options.kind
            )
        loss = torch.stack(list(parts.values())).sum()
        return loss, {name: float(value.detach()) for name, value in parts.items()}
