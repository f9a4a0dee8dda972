"""Films of the hip region made all along for training. A film depends only on the seed and its number."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.learning.ring import FileRing, wanted
from mri2mesh.synthesis.films.case import make_case
from mri2mesh.synthesis.films.posed_region import RegionMaker
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines
from mri2mesh.synthesis.films.views import draw_view

_VIEWS_OF_ONE = 3
"""Films of one posed person, from different cameras, before the next is drawn."""
_FEWEST_PIXELS = 300


def fill_with_films(
    ring: FileRing, parent: int, shapes: Path, spines: Path, left_out: tuple[str, ...], seed: int
) -> None:
    """Makes films of the shapes and spines in two files, without the left-out subjects, as long as the parent process
    is there."""
    maker = RegionMaker(RegionShapes.load(shapes).without(left_out), LowerSpines.load(spines))
    while wanted(parent):
        add_films(ring, maker, seed)


def add_films(ring: FileRing, maker: RegionMaker, seed: int) -> None:
    """Films of one more person."""
    rng = np.random.default_rng([seed, ring.made()])
    region = maker.draw(rng)
    for _ in range(_VIEWS_OF_ONE):
        try:
            case = make_case(maker, region, draw_view(region, rng), rng)
        except InputError:
            continue  # a leg that reaches the source: another view
        if case.truth.mask.sum() >= _FEWEST_PIXELS:
            ring.add(case.save)
