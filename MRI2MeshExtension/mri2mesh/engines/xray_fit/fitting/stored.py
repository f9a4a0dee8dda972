"""Where a fit ended, as plain numbers: for reports, for other processes, and to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.errors import InputError

_DIMENSIONS = {
    "rotation": (3, 3),
    "position": (3,),
    "log_scale": (),
    "coefficients": (None,),
    "view_turn": (None, 3, 3),
    "view_shift": (None, 3),
}


def to_plain(at: Parameters) -> dict[str, Any]:
    """The first candidate as nested lists."""
    return {name: value[0].tolist() for name, value in vars(at).items()}


def from_plain(stored: Mapping[str, Any], n_modes: int, n_views: int) -> Parameters:
    """A batch of one. Raises InputError for what is not stored parameters, or those of another model or of other
    views."""
    try:
        values = {name: torch.tensor(stored[name], dtype=torch.float64)[None] for name in _DIMENSIONS}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("this result does not say where its fit ended: it cannot be continued") from error
    at = Parameters(**values)
    shapes = {name: tuple(value.shape[1:]) for name, value in values.items()}
    known = {"coefficients": (n_modes,), "view_turn": (n_views, 3, 3), "view_shift": (n_views, 3)}
    if shapes != {**_DIMENSIONS, **known} or not all(
        torch.isfinite(value).all() for value in values.values()
    ):
        raise InputError("only a result of the same bone and the same views can be continued")
    return at
