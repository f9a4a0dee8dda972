"""True tissues made to look like a localiser's probabilities: blurred, unsure, displaced, too wide, or missing.

A network that is shown tissues which are always right copies them and never looks at the image; on exams where the
localiser draws a body 3 mm too wide, so does the network. What it is taught with must be wrong in the same ways.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtr, ndtri
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


EDGE_MM = 2.5
"""Standard deviation of the blur under which the edges of the tissues are displaced."""


def displaced(shares: Tensor, ijk_to_ras: NDArray[np.float64], rng: np.random.Generator) -> Tensor:
    """Tissue shares [5, K, J, I] with their edges moved outwards or inwards, or left out altogether.

    Most often by up to some millimetres, evenly or along one axis only (bodies too wide but rightly tall), more in
    some places than in others; one time in ten a tissue is missing, one time in ten all are.
    """
    seen = shares.float().numpy().copy()
    chance = rng.random()
    if chance < 0.1:
        return torch.zeros_like(shares, dtype=torch.float32)
    if chance < 0.2:
        seen[int(rng.integers(len(seen)))] = 0
    if rng.random() < 0.25:
        return torch.from_numpy(seen)
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)[::-1]
    only = rng.choice(["every side", "left and right", "front and back"], p=[0.5, 0.35, 0.15])
    sigma = (
        EDGE_MM
        / spacing
        * {
            "every side": np.ones(3),
            "left and right": np.array([0.0, 0.0, 1.0]),
            "front and back": np.array([0.0, 1.0, 0.0]),
        }[str(only)]
    )
    for channel in range(len(seen)):
        # Across a straight edge a blurred mask is the normal distribution of the distance: adding to its argument
        # moves the edge by so many millimetres.
        blurred = np.clip(ndimage.gaussian_filter(seen[channel], sigma), 1e-4, 1 - 1e-4)
        outwards = rng.normal(0.7, 1.8) + rng.uniform(0, 1.2) * _smooth_field(blurred.shape, rng)
        moved = ndtr(ndtri(blurred) + outwards / EDGE_MM)
        seen[channel] = np.where(blurred > 2e-3, moved, 0)
    return torch.from_numpy(np.ascontiguousarray(seen, dtype=np.float32))


def _smooth_field(shape: tuple[int, ...], rng: np.random.Generator, cell: int = 6) -> NDArray[np.float32]:
    """Random field of about unit variance that changes over ``cell`` voxels."""
    coarse = rng.standard_normal([max(n // cell, 1) + 2 for n in shape]).astype(np.float32)
    zoom = [n / c for n, c in zip(shape, coarse.shape, strict=True)]
    return ndimage.zoom(coarse, zoom, order=1, grid_mode=True, mode="nearest")
