"""Which code renders: compiled where numba is installed, plain torch everywhere else. Both give the same images.

A back-end is a module of differentiable functions on screen coordinates; nothing is imported before it is used.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import torch

from mri2mesh.errors import InputError

MODULES = {"torch": "mri2mesh.rendering.plain.backend", "numba": "mri2mesh.rendering.compiled.backend"}
"""By name; what each needs beyond torch has the name of the back-end."""


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """Names of the back-ends that this installation can run."""
    return tuple(name for name in MODULES if name == "torch" or find_spec(name) is not None)


def choose(name: str, device: torch.device | str) -> ModuleType:
    """The back-end for tensors on a device. name: "auto", "torch", or "numba" (for the CPU).

    Raises InputError for a back-end that is unknown, not installed, or not for this device.
    """
    on_cpu = torch.device(device).type == "cpu"
    if name == "auto":
        name = "numba" if on_cpu and "numba" in available() else "torch"
    if name not in MODULES:
        raise InputError(f"there is no rendering back-end {name}: use auto, {', '.join(MODULES)}")
    if name not in available():
        raise InputError(f"the rendering back-end {name} is not installed: pip install {name}")
    if name == "numba" and not on_cpu:
        raise InputError("the rendering back-end numba runs on the CPU only: use torch")
    return import_module(MODULES[name])
