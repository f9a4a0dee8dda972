"""One training step of the network that reads profiles."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BETA_MM = 0.5
PLACE_SD_MM = 0.7
PLACE_WEIGHT = 0.2
UNSEEN_WEIGHT = 0.2


def profile_step(network: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """The distance left along the normals after the move, and the entropy of where the edge is among the places.

    Vertices whose place the image does not show count a fifth: their neighbours are all there is to go by.
    """
    local, overview, place, normals = (
        batch[name].float() for name in ("local", "overview", "place", "normals")
    )
    logits = network(local, overview, place, normals)
    offsets = network.offsets
    along = batch["along"]
    within = along.clamp(float(offsets[0]), float(offsets[-1]))  # type: ignore[index]
    weight = torch.where(batch["seen"], 1.0, UNSEEN_WEIGHT)
    move = network.move(logits)  # type: ignore[operator]
    left = nn.functional.smooth_l1_loss(move, within, beta=BETA_MM, reduction="none")
    edge = (-0.5 * ((offsets - within[:, None]) / PLACE_SD_MM) ** 2).softmax(-1)  # type: ignore[operator]
    entropy = -(edge * logits.log_softmax(-1)).sum(-1)
    loss = (weight * (left + PLACE_WEIGHT * entropy)).sum() / weight.sum()
    seen = batch["seen"]
    return loss, {
        "mm_start": float(along[seen].abs().mean()),
        "mm": float((move - along)[seen].detach().abs().mean()),
    }
