"""The device that networks and fits run on."""

from __future__ import annotations

import torch

from mri2mesh.errors import InputError


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU. Raises InputError for a device that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name not in available:
        raise InputError(f"--device {name} is not known: use auto, cpu, cuda or mps")
    if not available[name]:
        raise InputError(f"--device {name} is not available here: use --device cpu")
    return torch.device(name)
