"""True tissues made to look like a localiser's probabilities: blurred, unsure, displaced, and wrong in places."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from mri2mesh.engines.mri2mesh.deformation.crops import TISSUES
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM
from mri2mesh.geometry.volume import Volume


def coarse_tissues(labels: Volume) -> tuple[Tensor, NDArray[np.float64]]:
    """[5, K, J, I] half: share of each tissue in blocks of about the localiser's voxel, and their ijk_to_ras.

    labels: `Semantic` map on an RAS-aligned grid finer than the localiser's, as synthetic cases have.
    """
    block = np.maximum(np.round(np.array(SPACING_MM) / labels.spacing), 1).astype(int)  # i, j, k
    count = np.array(labels.array.shape[::-1]) // block
    k, j, i = count[::-1] * block[::-1]
    blocks = labels.array[:k, :j, :i].reshape(count[2], block[2], count[1], block[1], count[0], block[0])
    shares = [(blocks == tissue).mean(axis=(1, 3, 5), dtype=np.float32) for tissue in TISSUES]
    matrix = labels.ijk_to_ras @ np.diag([*block.astype(float), 1.0])
    matrix[:3, 3] += labels.ijk_to_ras[:3, :3] @ ((block - 1) / 2)
    return torch.from_numpy(np.stack(shares)).half(), matrix


def blurred_as_seen(
    shares: Tensor, ijk_to_ras: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Tensor, NDArray[np.float64]]:
    """The same with the faults of a localiser: soft edges, a shift of a millimetre or two, patches of doubt."""
    sigma = rng.uniform(0.0, 0.9)
    smooth = ndimage.gaussian_filter(shares.float().numpy(), (0, sigma, sigma, sigma))
    doubt = _smooth_field(smooth.shape[1:], rng)
    strength = np.clip(1.0 - rng.uniform(0, 0.6) * np.clip(doubt, 0, None), 0, 1)
    logit_noise = rng.uniform(0, 0.25) * _smooth_field(smooth.shape[1:], rng)
    seen = np.clip(smooth * strength + logit_noise * smooth * (1 - smooth) * 4, 0, 1)
    moved = ijk_to_ras.copy()
    moved[:3, 3] += rng.normal(0, 0.7, 3)
    return torch.from_numpy(seen.astype(np.float32)), moved


def _smooth_field(shape: tuple[int, ...], rng: np.random.Generator, cell: int = 6) -> NDArray[np.float32]:
    """Random field of about unit variance that changes over ``cell`` voxels."""
    coarse = rng.standard_normal([max(n // cell, 1) + 2 for n in shape]).astype(np.float32)
    zoom = [n / c for n, c in zip(shape, coarse.shape, strict=True)]
    return ndimage.zoom(coarse, zoom, order=1, grid_mode=True, mode="nearest")
