"""What the deformation network is shown of a vertebra: the image around it, and what the localiser made of it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.imaging.volumes.crop import CropGrid, extract_crop
from mri2mesh.imaging.volumes.intensity import normalise

TISSUES = [Semantic.BODY, Semantic.DISC, Semantic.SACRUM, Semantic.POSTERIOR, Semantic.CANAL]
"""Tissues whose probabilities a crop carries, in this order, after image and field of view."""


def network_crop(
    image: tuple[Tensor, NDArray[np.float64]],
    tissues: tuple[Tensor, NDArray[np.float64]],
    frame: NDArray[np.float64],
    grid: CropGrid,
) -> Tensor:
    """[7, K, J, I]: intensity normalised within the crop, inside the image, probabilities of TISSUES.

    image: [1, K, J, I] and its ijk_to_ras. tissues: [5, K, J, I] on the localiser's grid and its ijk_to_ras.
    """
    values, inside = extract_crop(*image, frame, grid)
    values = torch.from_numpy(normalise(values[0].cpu().numpy(), inside.cpu().numpy() > 0.5)).to(
        inside.device
    )
    probabilities, _ = extract_crop(*tissues, frame, grid)
    return torch.cat([(values * inside)[None], inside[None], probabilities * inside])
