"""How many threads torch computes with, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
