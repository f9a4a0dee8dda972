"""Bad geometry is refused: at once on a CPU, as images that are not a number on a GPU.

To ask a GPU whether a vertex lies behind the source is to wait until it has done all its work, in every iteration. So
there the question is not asked. The images it concerns become NaN as a whole, and so does what is computed from them,
derivatives included; a loss of NaN is seen by whoever reads it. Where results reach the host, `require_rendered` turns
them into the error.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mri2mesh.errors import InputError


def asked_at_once(tensor: Tensor) -> bool:
    """Whether a question about the numbers of a tensor costs nothing: it does not on the CPU."""
    return tensor.device.type != "cuda"


def mark(images: Tensor, bad: Tensor) -> Tensor:
    """images with NaN wherever bad [...], which has the images' first dimensions, is true."""
    missing = torch.zeros_like(bad, dtype=images.dtype).masked_fill(bad, torch.nan)
    return images + missing[(..., *[None] * (images.ndim - bad.ndim))]


def mark_unseen(images: Tensor, screen: Tensor) -> Tensor:
    """images [B, N, ...] with NaN for those with a vertex, of screen [B, N, V, 3], that is not finite.

    On the CPU nothing is done: there such vertices have been refused.
    """
    if asked_at_once(screen):
        return images
    return mark(images, ~torch.isfinite(screen.detach()).flatten(2).all(-1))


def require_rendered(images: Tensor) -> None:
    """Raises InputError where images are marked. Waits for the device: call it where results reach the host."""
    if bool(torch.isnan(images).any()):
        raise InputError(
            "an image could not be rendered: part of the surface is beside or behind the X-ray source or not finite,"
            " the source is inside the volume, or mirrored and other views are mixed: check the geometry"
        )
