"""A folder of examples, made without end by a process of its own: the oldest make room for the newest.

Whoever trains reads at random. The number to go on from is in the folder, so that a run that is taken up makes examples
it has not seen.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

_COUNTER = "next.txt"
Example = TypeVar("Example")


class FileRing:
    """At most ``capacity`` files, named by their place in the ring."""

    def __init__(self, folder: Path, capacity: int, name: str = "film", ending: str = ".npz") -> None:
        self.folder, self.capacity, self.name, self.ending = folder, capacity, name, ending
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, slot: int) -> Path:
        return self.folder / f"{self.name}_{slot:05d}{self.ending}"

    def made(self) -> int:
        """How many have been made so far, in all runs: the number of the next one."""
        counter = self.folder / _COUNTER
        return int(counter.read_text()) if counter.exists() else 0

    def add(self, save: Callable[[Path], None]) -> None:
        """One more, in place of the oldest where the ring is full. save: writes it to a path."""
        number = self.made()
        path = self.path(number % self.capacity)
        temporary = path.with_name(f".{path.stem}.{os.getpid()}{self.ending}")
        save(temporary)
        os.replace(temporary, path)
        counter = self.folder / f".{_COUNTER}"
        counter.write_text(str(number + 1))
        os.replace(counter, self.folder / _COUNTER)

    def draw(
        self,
        read: Callable[[Path], Example],
        rng: np.random.Generator,
        *,
        least: int = 48,
        alive: Callable[[], bool] = lambda: True,
    ) -> Example:
        """One of the examples there are, at random; waits for the first ``least`` of them.

        Raises RuntimeError when they do not come because nobody makes any (``alive``).
        """
        while (count := min(self.made(), self.capacity)) < min(least, self.capacity):
            if not alive():
                raise RuntimeError("the process that makes training examples has ended")
            time.sleep(0.5)
        while True:
            try:
                return read(self.path(int(rng.integers(count))))
            except (OSError, ValueError, KeyError):
                time.sleep(0.01)  # being replaced just now (Windows)


class RingWorker:
    """A process that calls ``fill(ring, parent, *arguments)``, which makes examples as long as `wanted` says so."""

    def __init__(self, ring: FileRing, fill: Callable[..., None], *arguments: Any) -> None:
        self.process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(fill, ring, os.getpid(), *arguments), daemon=True
        )
        self.process.start()

    def alive(self) -> bool:
        return self.process.is_alive()

    def close(self) -> None:
        self.process.terminate()
        self.process.join()


def wanted(parent: int) -> bool:
    """Whether the process that wants examples is still there. parent: its number, 0 for nobody."""
    return parent == 0 or os.getppid() == parent


def _work(fill: Callable[..., None], ring: FileRing, parent: int, *arguments: Any) -> None:
    import torch

    torch.set_num_threads(1)
    fill(ring, parent, *arguments)
