"""The baseline a user would reach for: a 3D U-Net that labels the voxels of the same crops, then marching cubes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.structures import disc_name
from mri2mesh.engines.mri2mesh.networks.baseline import LABELS
from mri2mesh.engines.mri2mesh.training.mesh_samples import CropSamples, CropView
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.networks.layout import fast_tensor


class BaselineSamples(CropSamples):
    """The crops of `MeshSamples`, with label maps of the true surfaces instead of the surfaces."""

    sacrum_share = 0.0

    def target(self, view: CropView, level: str, frame: NDArray[np.float64]) -> Tensor:
        grid = Volume(np.zeros(self.grid.shape, np.uint8), frame @ self.grid.ijk_to_local)
        labels = np.zeros(self.grid.shape, np.int64)
        vertebra = view.spine.structures[level]
        labels[voxelise(vertebra, grid)] = LABELS.index("posterior")
        labels[voxelise(body_of(vertebra), grid)] = LABELS.index("body")
        disc = view.spine.structures.get(disc_name(level))
        if disc is not None:
            labels[voxelise(disc, grid)] = LABELS.index("disc")
        return torch.from_numpy(labels)


def baseline_step(network: nn.Module, batch: dict) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy and Dice, as nnU-Net."""
    device = next(network.parameters()).device
    crop, labels = batch["crop"].to(device), batch["target"].to(device)
    logits = network(fast_tensor(crop)).float()
    one_hot = nn.functional.one_hot(labels, len(LABELS)).movedim(-1, 1).float()
    probabilities = logits.softmax(1)
    overlap = (probabilities * one_hot).sum((0, 2, 3, 4))
    dice = (2 * overlap + 1) / (probabilities.sum((0, 2, 3, 4)) + one_hot.sum((0, 2, 3, 4)) + 1)
    loss = nn.functional.cross_entropy(logits, labels) + 1 - dice[1:].mean()
    return loss, {
        f"dice_{name}": float(value) for name, value in zip(LABELS[1:], dice[1:].detach(), strict=True)
    }
