"""Films of the hip region as the network of 3DDX takes them: each time another appearance and another idea of the
distance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from mri2mesh.engines.ddx.inputs import camera_channels
from mri2mesh.engines.dense_maps.training.batches import (
    Batch,
    Example,
    drawn_parts,
    drawn_reference,
    stacked,
)
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase
from mri2mesh.synthesis.films.develop import Appearance, develop


def make_batch(
    cases: list[FilmCase],
    rng: np.random.Generator,
    *,
    appearance: Appearance | None = None,
    reference_sd_mm: float | None = None,
) -> Batch:
    """Films of the cases developed anew."""
    examples = []
    for case in cases:
        reference = drawn_reference(case, rng, reference_sd_mm)
        film = develop(case, rng, appearance)
        channels = camera_channels(case.camera.coarser(TRUTH_GRID), reference)
        examples.append(Example(film, channels, case.truth, reference.depth_mm))
    return stacked(examples)


def batches(
    draw: Callable[[np.random.Generator], FilmCase], size: int, seed: int, pixels: int
) -> Iterator[Batch]:
    """Without end: see `drawn_parts`."""
    rng = np.random.default_rng(seed)
    for cases in drawn_parts(draw, size, rng, pixels):
        yield make_batch(cases, rng)
