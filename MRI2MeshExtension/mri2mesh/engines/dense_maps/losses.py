"""Losses of depth maps of several objects with two faces each (Gu et al. 2024, 3DDX; Eigen et al. 2014).

With g = log predicted - log true depth on an object's pixels, the scale-invariant loss is
a sqrt(mean(g^2) - l mean(g)^2), a = 1, l = 0.85. Object-dependent: one mean over all objects and faces together.
Object-independent: for each object and face by itself, then their mean. Centre-aligned: the mean difference over all
channels is taken off the prediction first, so that only depths against each other count.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

DepthLoss = Literal["dependent", "independent", "single"]
DEPTH_LOSSES: tuple[DepthLoss, ...] = ("dependent", "independent", "single")
A, LAMBDA = 1.0, 0.85
_EPSILON = 1e-10
_FEWEST = 8
"""Objects with fewer pixels have no say: their mean is that of an edge."""


def depth_loss(
    predicted: Tensor, true: Tensor, mask: Tensor, kind: DepthLoss = "independent", *, centred: bool = False
) -> Tensor:
    """Mean over the batch of the scale-invariant loss of logarithms of depth.

    predicted, true: [B, L, S, H, W] logarithms of depth, against any common reference. mask: [B, L, H, W] or
    [B, L, S, H, W], 1 where the object is. kind: "single" learns the nearest face of the nearest object alone (single
    depth, the usual task). centred: the centre-aligned variant. Zero where no film has any object.
    """
    if mask.ndim == 4:
        mask = mask[:, :, None].expand_as(predicted)
    weight = mask.to(predicted.dtype)
    if kind == "single":
        predicted, true, weight = _first_surface(predicted, true, weight)
    g = predicted - true
    if centred:
        everything = weight.sum((1, 2, 3, 4), keepdim=True).clamp_min(1)
        g = g - (g * weight).sum((1, 2, 3, 4), keepdim=True) / everything
    if kind == "independent":
        return _scale_invariant(g.flatten(0, 2).flatten(1), weight.flatten(0, 2).flatten(1))
    return _scale_invariant(g.flatten(1), weight.flatten(1))


def absolute_loss(predicted: Tensor, true: Tensor, mask: Tensor, kind: DepthLoss = "independent") -> Tensor:
    """Mean absolute difference of logarithms of depth over the pixels that `depth_loss` of this kind looks at: what a
    scale-invariant loss hardly asks for. Shapes as there, mask [B, L, H, W]."""
    weight = mask[:, :, None].expand_as(predicted).to(predicted.dtype)
    if kind == "single":
        predicted, true, weight = _first_surface(predicted, true, weight)
    return ((predicted - true).abs() * weight).sum() / weight.sum().clamp_min(1)


def _scale_invariant(g: Tensor, weight: Tensor) -> Tensor:
    """Mean over the rows [R, P] that have pixels."""
    count = weight.sum(1)
    shown = count >= _FEWEST
    count = count.clamp_min(1)
    mean, square = (g * weight).sum(1) / count, (g * g * weight).sum(1) / count
    value = A * torch.sqrt((square - LAMBDA * mean * mean).clamp_min(0) + _EPSILON)
    return (value * shown).sum() / shown.sum().clamp_min(1)


def _first_surface(predicted: Tensor, true: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One channel: the nearest face of whichever object is nearest; the prediction's first channel answers for it."""
    nearest = true[:, :, :1].masked_fill(weight[:, :, :1] == 0, torch.inf).amin(1, keepdim=True)
    seen = torch.isfinite(nearest)
    return predicted[:, :1, :1], nearest.masked_fill(~seen, 0.0), seen.to(weight.dtype)


def mask_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross entropy plus one minus the soft Dice of every object [B, L, H, W], over those that are in the film."""
    target = mask.to(logits.dtype)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    share = torch.sigmoid(logits)
    both, either = (share * target).sum((2, 3)), (share + target).sum((2, 3))
    shown = target.sum((2, 3)) >= _FEWEST
    dice = 1 - (2 * both + 1) / (either + 1)
    return entropy + (dice * shown).sum() / shown.sum().clamp_min(1)


def canonical_loss(predicted: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """Mean distance (smooth L1) of places on the bone [B, L, S, 3, H, W] over the pixels of the masks [B, L, H, W]."""
    film, bone, row, column = torch.nonzero(mask, as_tuple=True)  # a tenth of all pixels: much quicker
    if not len(film):
        return predicted.sum() * 0
    here, there = predicted[film, bone, :, :, row, column], true[film, bone, :, :, row, column]
    return torch.nn.functional.smooth_l1_loss(here, there, beta=0.02)
