"""A network's weights as whole numbers of 8 bits, for a small file."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_SCALE = ".scale"
_STEPS = 127


def in_bytes(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Kernels as whole numbers from -127 to 127, with one scale for each channel that comes out; the rest as it is."""
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if value.ndim < 2:
            found[name] = value
            continue
        scale = value.float().flatten(1).abs().amax(1).clamp_min(1e-12) / _STEPS
        found[name] = torch.round(value.float() / _along_first(scale, value)).to(torch.int8)
        found[name + _SCALE] = scale
    return found


def from_bytes(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `in_bytes` was given, but for rounding."""
    return {
        name: value.float() * _along_first(stored[name + _SCALE], value) if name + _SCALE in stored else value
        for name, value in stored.items()
        if not name.endswith(_SCALE)
    }


def _along_first(scale: Tensor, like: Tensor) -> Tensor:
    return scale.float().view(-1, *[1] * (like.ndim - 1))
