"""One training step: the losses of masks, depths and places on the bone together."""

from __future__ import annotations

from collections.abc import Callable
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
    millimetres off. absolute: of the mean absolute error of log depth, which no scale-invariant loss asks for.
    numbers: of ``numbers_loss``, which takes found and true numbers [B, N]."""

    kind: DepthLoss = "independent"
    centred: bool = False
    depth: float = 30.0
    absolute: float = 20.0
    canonical: float = 4.0
    numbers: float = 0.0
    numbers_loss: Callable[[Tensor, Tensor], Tensor] | None = None


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
        if options.numbers_loss is not None and maps.numbers is not None and batch.numbers is not None:
            parts["numbers"] = options.numbers * options.numbers_loss(maps.numbers, batch.numbers)
        loss = torch.stack(list(parts.values())).sum()
        return loss, {name: float(value.detach()) for name, value in parts.items()}
