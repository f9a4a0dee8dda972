"""The localiser's network run over a whole volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, Heat
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.grids import covering_grid
from mri2mesh.imaging.volumes.resampling import normalise, resample_to_grid
from mri2mesh.networks.layout import fast_tensor


@dataclass(frozen=True)
class Evidence:
    """Probabilities on an RAS-aligned grid of `SPACING_MM`.

    semantic: [6, K, J, I], channels as in `Semantic`, summing to one. heat: [3, K, J, I] in 0..1, as in `Heat`.
    inside: [K, J, I] bool, where the image has data.
    """

    semantic: NDArray[np.float32]
    heat: NDArray[np.float32]
    inside: NDArray[np.bool_]
    ijk_to_ras: NDArray[np.float64]

    def ras_from_kji(self, kji: NDArray) -> NDArray[np.float64]:
        """[..., 3] array indices (k, j, i), also fractional, to RAS millimetres."""
        return np.asarray(kji)[..., ::-1] * np.diag(self.ijk_to_ras)[:3] + self.ijk_to_ras[:3, 3]

    def kji_from_ras(self, ras: NDArray) -> NDArray[np.float64]:
        """[..., 3] RAS millimetres to fractional array indices (k, j, i)."""
        return ((np.asarray(ras) - self.ijk_to_ras[:3, 3]) / np.diag(self.ijk_to_ras)[:3])[..., ::-1]


def locate_tissues(
    volume: Volume, network: nn.Module, device: torch.device | str, *, mirrored: bool = True
) -> Evidence:
    """Run the localiser's network over a volume; mirrored: and over its mirror image, left to right, for the mean.

    The image is brought to that grid with its own slice profile averaged where it is finer, so thick slices stay what
    they are.
    """
    device = torch.device(device)
    matrix, shape = covering_grid(volume, SPACING_MM)
    array, inside = resample_to_grid(volume, matrix, shape, anti_alias=True)
    image = normalise(array, inside)
    stride = int(getattr(network, "stride", 16))
    pads = [(-n) % stride for n in shape]
    padded = np.pad(image, [(0, pad) for pad in pads])
    x = fast_tensor(torch.from_numpy(padded)[None, None].to(device))
    with torch.inference_mode():
        out = network(x)
        if mirrored:
            out = 0.5 * (out + network(x.flip(-1)).flip(-1))
        out = out[0].float()
    out = out[:, : shape[0], : shape[1], : shape[2]].cpu()
    return Evidence(
        semantic=out[: len(Semantic)].softmax(0).numpy(),
        heat=out[len(Semantic) : len(Semantic) + len(Heat)].sigmoid().numpy(),
        inside=inside,
        ijk_to_ras=matrix,
    )
