"""Training of the localiser: what every voxel is, and where bodies, discs and S1 have their centres."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.networks.localiser import HEAT_SIGMA_MM, SPACING_MM, Heat
from mri2mesh.engines.mri2mesh.training.intensity import jitter_intensity
from mri2mesh.imaging.volumes.grids import covering_grid
from mri2mesh.imaging.volumes.resampling import normalise, resample_to_grid
from mri2mesh.networks.layout import fast_tensor
from mri2mesh.synthesis.mr.targets import centres, semantic_labels

if TYPE_CHECKING:
    from mri2mesh.engines.mri2mesh.training.pool import CasePool
    from mri2mesh.synthesis.mr.case import SyntheticCase

PATCH = (112, 96, 16)
"""Voxels (K, J, I) seen in a step: 224 x 192 x 64 mm, six vertebrae tall; with less, S1 was taken for L5 at times."""

HEAT_WEIGHT = 10.0
"""Centres fill a thousandth of the volume: at equal weight their maps are the last thing learned."""


def heat_map(
    centres: Iterable[NDArray], ijk_to_ras: NDArray, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Maximum of Gaussians of HEAT_SIGMA_MM about the centres (RAS mm) on an axis-aligned grid, [K, J, I]."""
    heat = np.zeros(shape, np.float32)
    spacing, origin = np.diag(ijk_to_ras)[:3], ijk_to_ras[:3, 3]
    for centre in centres:
        axes = [
            np.exp(
                -0.5 * ((origin[a] + spacing[a] * np.arange(shape[2 - a]) - centre[a]) / HEAT_SIGMA_MM) ** 2
            )
            for a in range(3)
        ]
        gaussian = axes[2][:, None, None] * axes[1][None, :, None] * axes[0][None, None, :]
        np.maximum(heat, gaussian, out=heat)
    return heat


class CoarseView:
    """A case at the localiser's resolution: image, semantic map and heat maps, compact enough to keep in memory."""

    def __init__(self, case: SyntheticCase) -> None:
        matrix, shape = covering_grid(case.image, SPACING_MM)
        image, inside = resample_to_grid(case.image, matrix, shape, anti_alias=True)
        image = normalise(image, inside)
        labels, _ = resample_to_grid(semantic_labels(case.tissues), matrix, shape, order=0)
        self.image = image.astype(np.float16)
        self.labels = labels.astype(np.uint8)
        seen = [centre for centre in centres(case.spine, case.image) if centre.in_view]
        by_heat = {
            Heat.BODY: [c.position for c in seen if "-" not in c.name and c.name != "S1"],
            Heat.DISC: [c.position for c in seen if "-" in c.name],
            Heat.S1: [c.position for c in seen if c.name == "S1"],
        }
        self.heat = np.stack([heat_map(by_heat[heat], matrix, shape) for heat in Heat]).astype(np.float16)


def _cut(array: NDArray, start: list[int]) -> NDArray:
    """A PATCH from an array [..., K, J, I]; where it sticks out, zeros."""
    widths = [
        (max(-first, 0), max(first + n - size, 0))
        for first, n, size in zip(start, PATCH, array.shape[-3:], strict=True)
    ]
    padded = np.pad(array, [(0, 0)] * (array.ndim - 3) + widths)
    k, j, i = (max(first, 0) for first in start)
    return padded[..., k : k + PATCH[0], j : j + PATCH[1], i : i + PATCH[2]]


class LocaliserSamples(Dataset):
    """Sample n is a patch of a case, with the intensities varied once more; it depends only on the seed and n."""

    def __init__(self, pool: CasePool, seed: int) -> None:
        self.pool, self.seed = pool, seed
        self.view = lru_cache(maxsize=4096)(lambda index: CoarseView(pool.load(index)))

    def __getitem__(self, n: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, n))
        view = self.view(int(rng.integers(self.pool.allowed(n))))
        start = []
        for size, length in zip(view.labels.shape, PATCH, strict=True):
            slack = size - length
            start.append(int(rng.integers(slack + 1)) if slack > 0 else -int(rng.integers(-slack + 1)))
        image = jitter_intensity(_cut(view.image, start).astype(np.float32), rng)
        labels, heat = _cut(view.labels, start), _cut(view.heat, start).astype(np.float32)
        if rng.random() < 0.5:
            image, labels, heat = image[..., ::-1], labels[..., ::-1], heat[..., ::-1]
        return {
            "image": torch.from_numpy(image[None].copy()),
            "labels": torch.from_numpy(labels.astype(np.int64)),
            "heat": torch.from_numpy(heat.copy()),
        }


def localiser_step(network: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy and Dice on the semantic map, binary cross-entropy on the heat maps."""
    device = next(network.parameters()).device
    image, labels, heat = (batch[key].to(device, non_blocking=True) for key in ("image", "labels", "heat"))
    out = network(fast_tensor(image)).float()
    logits, heat_logits = out[:, : len(Semantic)], out[:, len(Semantic) :]
    # No class weights: sizes and the deformation network rely on the probabilities, so they must mean what they say
    entropy = nn.functional.cross_entropy(logits, labels)
    one_hot = nn.functional.one_hot(labels, len(Semantic)).movedim(-1, 1).float()
    probabilities = logits.softmax(1)
    overlap = (probabilities * one_hot).sum((0, 2, 3, 4))
    dice = (2 * overlap + 1) / (probabilities.sum((0, 2, 3, 4)) + one_hot.sum((0, 2, 3, 4)) + 1)
    # centres are rare: voxels near one count as much as all the others together
    heat_loss = nn.functional.binary_cross_entropy_with_logits(heat_logits, heat, weight=1 + 20 * heat)
    loss = entropy + (1 - dice[1:].mean()) + HEAT_WEIGHT * heat_loss
    return loss, {
        "entropy": float(entropy.detach()),
        "heat": float(heat_loss.detach()),
        "dice_body": float(dice[Semantic.BODY].detach()),
        "dice_disc": float(dice[Semantic.DISC].detach()),
        "dice_sacrum": float(dice[Semantic.SACRUM].detach()),
    }
