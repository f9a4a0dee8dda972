"""What of an image is compared: details larger than a pixel and smaller than soft tissue, inside a mask."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.box import Box


class BandPass:
    """Images less their own blur, inside a mask: linear, the same for what is observed and what is predicted.

    Blurs are Gaussian (standard deviations in pixels) and normalised by the mask, so that nothing outside it matters
    and its border is no edge. A wide blur is made from averages of blocks, so that the work grows with the number of
    pixels alone. mask: [H, W] in 0 .. 1. block: pixels of a block.
    """

    def __init__(self, mask: Tensor, fine_px: float, coarse_px: float) -> None:
        self.mask = mask.float()
        self._fine_px, self.block = fine_px, max(1, int(coarse_px / 3))
        self.reach = math.ceil(2.5 * coarse_px)
        self._down, self._across = (_Spread.of(n, self.block, coarse_px, self.mask) for n in mask.shape)
        reached = self.mask[None, :, :, None]
        self._fine_share = self.mask[:, :, None] / _narrow(reached, fine_px)[0].clamp_min(1e-3)
        self._coarse_share = self.mask[:, :, None] / self._wide(reached)[0].clamp_min(1e-3)

    def __call__(self, images: Tensor) -> Tensor:
        """[B, H, W, P] filtered, zero outside the mask."""
        masked = images * self.mask[:, :, None]
        blurred = self._wide(masked).mul_(self._coarse_share)
        return _narrow(masked, self._fine_px).mul_(self._fine_share).sub_(blurred)

    def within(self, box: Box) -> BandPass:
        """The filter for images that are zero outside a box, which begins at multiples of ``block``: there it does what
        this one does, and what it would spread beyond is left out. ``reach``: pixels beyond which that is little."""
        part = copy(self)
        blocks = [
            slice(one.start // self.block, -(-one.stop // self.block)) for one in (box.rows, box.columns)
        ]
        part.mask, part._fine_share, part._coarse_share = (
            one[box.rows, box.columns] for one in (self.mask, self._fine_share, self._coarse_share)
        )
        part._down = self._down.part(box.rows, blocks[0])
        part._across = self._across.part(box.columns, blocks[1])
        return part

    def _wide(self, images: Tensor) -> Tensor:
        """[B, H, W, P] blurred by averages of blocks, a Gaussian over those, and lines between."""
        batch, _, _, layers = images.shape
        small = _averaged(_averaged(images, 1, self.block), 2, self.block)
        down = self._down.blur @ small.reshape(batch, small.shape[1], -1)
        blurred = self._across.blur @ down.view(batch, -1, small.shape[2], layers)
        return self._across.between(self._down.between(blurred, 1), 2)


def _narrow(images: Tensor, width: float) -> Tensor:
    """[B, H, W, P] blurred by a few pixels, as a sum of shifted images."""
    reach = max(1, math.ceil(3 * width))
    weight = [math.exp(-0.5 * (n / width) ** 2) for n in range(reach + 1)]
    total = weight[0] + 2 * sum(weight[1:])
    for axis in (1, 2):
        length = images.shape[axis]
        result = images * (weight[0] / total)
        for n in range(1, min(reach, length - 1) + 1):
            near, far = images.narrow(axis, 0, length - n), images.narrow(axis, n, length - n)
            result.narrow(axis, n, length - n).add_(near, alpha=weight[n] / total)
            result.narrow(axis, 0, length - n).add_(far, alpha=weight[n] / total)
        images = result
    return images


def _averaged(images: Tensor, axis: int, block: int) -> Tensor:
    """Means of blocks along an axis; the last one as if zeros followed."""
    missing = -images.shape[axis] % block
    if missing:
        shape = list(images.shape)
        shape[axis] = missing
        images = torch.cat([images, images.new_zeros(shape)], axis)
    return images.unflatten(axis, (-1, block)).mean(axis + 1)


@dataclass(frozen=True)
class _Spread:
    """Along one axis, from the means of blocks to pixels: the Gaussian at the blocks, blur [to, from], and lines
    between them: the pixel lies at share [length] of the way from one block, low, to the next, high."""

    blur: Tensor
    low: Tensor
    high: Tensor
    share: Tensor

    @classmethod
    def of(cls, length: int, block: int, width: float, like: Tensor) -> _Spread:
        centre = (torch.arange(-(-length // block), dtype=torch.float32) + 0.5) * block - 0.5
        blur = torch.exp(-0.5 * ((centre[:, None] - centre) / width) ** 2) * (block / width)
        place = ((torch.arange(length) + 0.5) / block - 0.5).clamp(0, len(centre) - 1)
        low = place.floor().long().clamp(max=max(len(centre) - 2, 0))
        high = (low + 1).clamp(max=len(centre) - 1)
        on = like.device
        return cls(blur.to(like), low.to(on), high.to(on), (place - low).to(like))

    def part(self, pixels: slice, blocks: slice) -> _Spread:
        """To some pixels, from some blocks."""
        low, high = self.low[pixels], self.high[pixels]
        first, last = int(low[0]), int(high[-1])
        blur = self.blur[first : last + 1, blocks].contiguous()
        return _Spread(blur, low - first, high - first, self.share[pixels])

    def between(self, values: Tensor, axis: int) -> Tensor:
        """Lines between values at the blocks, along an axis of a tensor of four."""
        share = self.share.view([-1 if one == axis else 1 for one in range(4)])
        low = values.index_select(axis, self.low)
        return low.lerp_(values.index_select(axis, self.high), share)


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
