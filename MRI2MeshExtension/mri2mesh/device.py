"""The device that networks and fits run on, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def one_thread() -> Iterator[None]:
    """What is computed within it is computed by one thread.

    For equations of several small matrices at once: solved by several threads beside those of the compiled renderer,
    MKL has been seen to end them in errors ("incorrect on entry to DLASWP") or never.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
