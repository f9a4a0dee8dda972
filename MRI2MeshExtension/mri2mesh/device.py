"""The device that networks and fits run on, and with how many threads."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from mri2mesh.errors import InputError

_TRIAL_S = 0.1
_NEARLY = 0.25
"""Of a core, what may be missing from it: the system's own work."""


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
    with _threads(1):
        yield


@contextmanager
def free_cores() -> Iterator[None]:
    """What is computed within it is computed by no more threads than there were cores without other work as it began.

    Threads meet at the end of every operation. Where other programs hold the cores each waits there for its turn, tens
    of thousands of times: a fit to a radiograph on two cores, one of them busy, took 225 s with two threads and 67 s
    with one.
    """
    with _threads(whole_cores(cores_given(torch.get_num_threads()))):
        yield


def cores_given(threads: int) -> float:
    """Of how many cores the system gives as many threads their time: for a tenth of a second they do nothing but
    compute, and their processor time is compared to the clock."""
    buffer = bytes(1 << 20)
    began, worked = time.perf_counter(), time.process_time()

    def compute() -> None:
        while time.perf_counter() < began + _TRIAL_S:
            hashlib.sha256(buffer)  # other threads may run meanwhile

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(compute) for _ in range(threads)]:
            done.result()
    return (time.process_time() - worked) / (time.perf_counter() - began)


def whole_cores(given: float) -> int:
    """At least one; a core that has to be shared with another program does not count."""
    return max(1, int(given + _NEARLY))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
