"""What of an image is compared: details larger than a pixel and smaller than soft tissue, inside a mask."""

from __future__ import annotations

import torch
from torch import Tensor


class BandPass:
    """Images less their own blur, inside a mask: linear, the same for what is observed and what is predicted.

    Blurs are Gaussian (standard deviations in pixels) and normalised by the mask, so that nothing outside it matters
    and its border is no edge. mask: [H, W] in 0 .. 1.
    """

    def __init__(self, mask: Tensor, fine_px: float, coarse_px: float) -> None:
        self.mask = mask.float()
        self._blurs = []
        for width in (fine_px, coarse_px):
            rows, columns = (_gaussian(n, width).to(self.mask) for n in mask.shape)
            reached = rows @ self.mask @ columns.T
            self._blurs.append((rows, columns, self.mask / reached.clamp_min(1e-3)))

    def __call__(self, images: Tensor) -> Tensor:
        """[B, H, W, P] filtered, zero outside the mask."""
        masked = images * self.mask[:, :, None]
        (rows, columns, share), (wide_rows, wide_columns, wide_share) = self._blurs
        fine = _separable(masked, rows, columns) * share[:, :, None]
        return fine - _separable(masked, wide_rows, wide_columns) * wide_share[:, :, None]


def _gaussian(n: int, width: float) -> Tensor:
    """[n, n] matrix that blurs a row of n pixels."""
    place = torch.arange(n, dtype=torch.float32)
    weight = torch.exp(-0.5 * ((place[:, None] - place) / width) ** 2)
    return weight / weight.sum(1).max()


def _separable(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    batch, height, width, layers = images.shape
    down = rows @ images.reshape(batch, height, width * layers)
    return columns @ down.view(batch, height, width, layers)


def smooth_gains(size: tuple[int, int], n: int) -> Tensor:
    """[H, W, n * n] smooth weights that sum to 1: bumps on an n x n lattice over the image.

    Contrast differs from place to place (scatter, beam hardening, display processing) but slowly.
    """
    axes = []
    for length in size:
        place = torch.linspace(-1, 1, length)
        knots = torch.linspace(-1, 1, n) if n > 1 else torch.zeros(1)
        apart = 2 / max(n - 1, 1)
        axes.append(torch.exp(-(((place[:, None] - knots) / apart) ** 2)))
    bumps = (axes[0][:, None, :, None] * axes[1][None, :, None, :]).flatten(2)
    return bumps / bumps.sum(-1, keepdim=True)
