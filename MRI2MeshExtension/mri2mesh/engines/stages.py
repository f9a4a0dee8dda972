"""The stages of an engine's run: their names, how long each takes of the whole, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mri2mesh.geometry.mesh import Mesh

Progress = Callable[[str, float], None]
"""Called with the name of the stage and the fraction done of the whole, 0..1; what it raises ends the run."""
Watch = Callable[["Mapping[str, Mesh]", float, "Sequence[NDArray]"], None]
"""Called with the surfaces so far by name, the fraction done of the engine's own work, and per radiograph the [4, 4]
that moves the surfaces to where its geometry shows them, or none where nothing is corrected. What it raises ends the
run."""


class Stages:
    """Names and times the stages of one run, and reports its progress.

    shares: each stage's name, in their order, and its share of the time on a processor; they need not add up to one.
    ``seconds``: how long each took, for `Reconstruction.timings_s`; one that was ended by an error is in it too.
    """

    def __init__(self, shares: Mapping[str, float], progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress or (lambda name, fraction: None)
        whole, done = sum(shares.values()), 0.0
        self._begin: dict[str, float] = {}
        self._share = {name: share / whole for name, share in shares.items()}
        for name, share in self._share.items():
            self._begin[name] = done
            done += share
        self._now = next(iter(shares))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is done inside is this stage. Raises KeyError for a name that is none."""
        self._now = name
        self._progress(name, self._begin[name])
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - started

    def share(self, done: float, name: str | None = None) -> None:
        """Reports how much of the stage at work is done, 0 to 1. name: to be shown instead of the stage's."""
        fraction = self._begin[self._now] + self._share[self._now] * min(max(done, 0.0), 1.0)
        self._progress(name or self._now, fraction)

    def done(self) -> None:
        """Reports that the whole is done."""
        self._progress("done", 1.0)
