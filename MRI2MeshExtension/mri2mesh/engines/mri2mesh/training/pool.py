"""A folder of synthetic cases made by worker processes while training reads from it.

Making a case takes seconds, a training step a fraction of one: cases are made once, kept, and used many times with
other crops, frames and intensities. Case ``n`` depends only on the seed and ``n``; which cases a step may draw from
depends only on the step and on those made before, and a step waits where the workers are late. So training is the same
for the same seed, however fast the workers are.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

from mri2mesh.synthesis.mr.case import SyntheticCase, make_case


def case_path(folder: Path, index: int) -> Path:
    return folder / f"case_{index:05d}.npz"


def _make_one(folder: Path, data: Path, seed: int, index: int) -> None:
    path = case_path(folder, index)
    if path.exists():
        return
    case = make_case(seed * 1_000_003 + index, data)
    temporary = path.with_name(f".{index:05d}.{os.getpid()}.npz")
    case.save(temporary)
    os.replace(temporary, path)


def _work(folder: Path, data: Path, seed: int, indices: range, parent: int) -> None:
    import torch

    torch.set_num_threads(1)
    if hasattr(os, "nice"):  # Windows has no such call
        os.nice(5)
    for index in indices:
        if os.getppid() != parent:
            return  # the training run has gone
        _make_one(folder, data, seed, index)


class CasePool:
    """``n_cases`` cases in ``folder``, made from ``data`` (the training data) by ``workers`` processes."""

    def __init__(self, folder: Path, data: Path, n_cases: int, seed: int = 0, workers: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.data, self.n_cases, self.seed = folder, data, n_cases, seed
        missing = [n for n in range(n_cases) if not case_path(folder, n).exists()]
        self.ready = self.counted = missing[0] if missing else n_cases
        self.processes: list[multiprocessing.process.BaseProcess] = []
        if missing and workers:
            context = multiprocessing.get_context("spawn")
            for worker in range(workers):
                indices = range(missing[0] + worker, n_cases, workers)
                process = context.Process(
                    target=_work, args=(folder, data, seed, indices, os.getpid()), daemon=True
                )
                process.start()
                self.processes.append(process)

    def allowed(self, sample: int) -> int:
        """How many cases a sample may be drawn from, by its number: those that were there when the pool was opened;
        without any a few at first, one more for every 24 samples."""
        return max(self.ready, min(self.n_cases, 6 + sample // 24))

    def there(self) -> int:
        """How many cases there are by now, counted up to the first that is missing: more as time goes on."""
        while self.counted < self.n_cases and case_path(self.folder, self.counted).exists():
            self.counted += 1
        return self.counted

    def load(self, index: int) -> SyntheticCase:
        """Case ``index``; waits until it is there. Raises RuntimeError when no worker is left to make it."""
        path = case_path(self.folder, index)
        while not path.exists():
            if not any(process.is_alive() for process in self.processes):
                if path.exists():
                    break
                raise RuntimeError(f"case {index} is missing and no worker is making it")
            time.sleep(0.2)
        return SyntheticCase.load(path)

    def close(self) -> None:
        for process in self.processes:
            process.terminate()
