"""A folder of new films, made without end by a process of its own: the oldest make room for the newest.

Whoever trains reads at random. A case depends only on the seed and its number. The number to go on from is in the
folder, so that a run that is taken up makes films it has not seen.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.synthesis.films.case import FilmCase, make_case
from mri2mesh.synthesis.films.posed_region import RegionMaker
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines
from mri2mesh.synthesis.films.views import draw_view

_COUNTER = "next.txt"
_VIEWS_OF_ONE = 3
"""Films of one posed person, from different cameras, before the next is drawn."""


def film_path(folder: Path, slot: int) -> Path:
    return folder / f"film_{slot:05d}.npz"


def make_films(
    folder: Path,
    shapes: RegionShapes,
    spines: LowerSpines | None,
    seed: int,
    capacity: int,
    until: float,
    parent: int,
) -> int:
    """Makes films until the time (time.monotonic) or until the parent process has gone, at least one; returns how many.

    parent: its number, 0 for nobody. spines: none are in the films where there are none.
    """
    maker, number = RegionMaker(shapes, spines), _counted(folder)
    first = number
    while number == first or (time.monotonic() < until and (parent == 0 or os.getppid() == parent)):
        rng = np.random.default_rng([seed, number])
        region = maker.draw(rng)
        for _ in range(_VIEWS_OF_ONE):
            try:
                case = make_case(maker, region, draw_view(region, rng), rng)
            except InputError:
                continue  # a leg that reaches the source: another view
            if case.truth.mask.sum() < 300:
                continue
            path = film_path(folder, number % capacity)
            temporary = path.with_name(f".{path.stem}.{os.getpid()}.npz")
            case.save(temporary)
            os.replace(temporary, path)
            number += 1
            _count(folder, number)
    return number - first


def _count(folder: Path, number: int) -> None:
    temporary = folder / f".{_COUNTER}"
    temporary.write_text(str(number))
    os.replace(temporary, folder / _COUNTER)


def _counted(folder: Path) -> int:
    counter = folder / _COUNTER
    return int(counter.read_text()) if counter.exists() else 0


def _work(
    folder: Path, shapes: Path, spines: Path, left_out: tuple[str, ...], seed: int, capacity: int
) -> None:
    import torch

    torch.set_num_threads(1)
    kept = RegionShapes.load(shapes).without(left_out)
    make_films(folder, kept, LowerSpines.load(spines), seed, capacity, np.inf, os.getppid())


class FilmPool:
    """Films in ``folder``, made by one process from the shapes and spines in two files, without the left-out
    subjects."""

    def __init__(
        self, folder: Path, shapes: Path, spines: Path, left_out: tuple[str, ...], seed: int, capacity: int
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.capacity = folder, capacity
        self.process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(folder, shapes, spines, left_out, seed, capacity), daemon=True
        )
        self.process.start()

    def made(self) -> int:
        """How many films have been made so far, in all runs."""
        return _counted(self.folder)

    def draw(self, rng: np.random.Generator, least: int = 48) -> FilmCase:
        """One of the films there are, at random; waits for the first ones.

        Raises RuntimeError when nobody makes any.
        """
        while (count := min(self.made(), self.capacity)) < min(least, self.capacity):
            if not self.process.is_alive():
                raise RuntimeError("the process that makes films has ended")
            time.sleep(0.5)
        while True:
            try:
                return FilmCase.load(film_path(self.folder, int(rng.integers(count))))
            except (OSError, ValueError, KeyError):
                time.sleep(0.01)  # being replaced just now (Windows)

    def close(self) -> None:
        self.process.terminate()
