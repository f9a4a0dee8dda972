"""Which code renders: compiled for the processor or the GPU where that is installed, plain torch everywhere else.

All give the same images. A back-end is a module of differentiable functions on screen coordinates; nothing is imported
before it is used. Plain torch waits for a GPU several times per image; Warp's kernels never do.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import torch

from mri2mesh.errors import InputError

MODULES = {
    "torch": "mri2mesh.rendering.plain.backend",
    "numba": "mri2mesh.rendering.compiled.backend",
    "warp": "mri2mesh.rendering.gpu.backend",
}
"""Modules by the name of the back-end; what each needs beyond torch is imported with it."""

PACKAGES = {"numba": "numba", "warp": "warp-lang"}
"""What to install for each."""


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """Names of the back-ends that this installation can run."""
    return tuple(name for name in MODULES if name == "torch" or find_spec(name) is not None)


def choose(name: str, device: torch.device | str) -> ModuleType:
    """The back-end for tensors on a device. name: "auto", "torch", "numba" (for the CPU) or "warp" (for CUDA; on the
    CPU it runs on one core, to check it).

    Raises InputError for a back-end that is unknown, not installed, or not for this device.
    """
    return import_module(MODULES[name_of(name, device)])


def name_of(name: str, device: torch.device | str) -> str:
    """The name of the back-end that `choose` gives: never "auto". Raises InputError as it does."""
    kind = torch.device(device).type
    if name == "auto":
        return _fastest(kind)
    if name not in MODULES:
        raise InputError(f"there is no rendering back-end {name}: use auto, {', '.join(MODULES)}")
    if name not in available():
        raise InputError(f"the rendering back-end {name} is not installed: pip install {PACKAGES[name]}")
    if name == "numba" and kind != "cpu":
        raise InputError("the rendering back-end numba runs on the CPU only: use auto")
    if name == "warp" and not _warp_runs_on(kind):
        raise InputError(f"the rendering back-end warp does not run on this {kind} device: use torch")
    return name


def _fastest(kind: str) -> str:
    if kind == "cpu" and "numba" in available():
        return "numba"
    if kind == "cuda" and "warp" in available() and _warp_runs_on(kind):
        return "warp"
    return "torch"


@lru_cache(maxsize=4)
def _warp_runs_on(kind: str) -> bool:
    return bool(import_module(MODULES["warp"]).runs_on(torch.device(kind)))
