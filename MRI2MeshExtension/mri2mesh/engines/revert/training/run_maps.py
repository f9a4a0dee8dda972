"""``mri2mesh train revert --what levels`` and ``--what maps``: the dense maps of whole lumbar films, by which vertebrae
are found and named, and those of one vertebra in the crop around it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from mri2mesh.engines.dense_maps.network import DepthNet
from mri2mesh.engines.dense_maps.training.batches import Batch, stacked, whole_films
from mri2mesh.engines.dense_maps.training.step import MapsStep, StepOptions
from mri2mesh.engines.dense_maps.training.validation import Validation
from mri2mesh.engines.revert import key_points
from mri2mesh.engines.revert.networks.stored import (
    CROP_PIXELS,
    FILM_PIXELS,
    crop_network,
    film_network,
)
from mri2mesh.engines.revert.training.elsewhere import elsewhere_ring
from mri2mesh.engines.revert.training.films import fill_with_films, left_out_films
from mri2mesh.engines.revert.training.hanging import hung
from mri2mesh.engines.revert.training.maps_batches import (
    CROP_BONES,
    LEVEL_BONES,
    Draw,
    crop_batches,
    crop_examples,
    film_batches,
    film_example,
)
from mri2mesh.engines.revert.training.options import RevertTrainOptions
from mri2mesh.learning.loop import train_loop
from mri2mesh.learning.ring import FileRing, RingWorker
from mri2mesh.synthesis.films.case import FilmCase

_SEED = 991
_LEAST_FILMS, _LEAST_ELSEWHERE = 48, 8
"""Films that there have to be before training begins."""
_LEAST_SEEN = {"levels": 20, "maps": 100}
"""Pixels from which a bone's Dice is measured."""
_STEPS = {
    "levels": StepOptions(centred=True, absolute=5.0),
    # One vertebra's own depths, against each other, are what a crop shows; the common shift hardly.
    "maps": StepOptions(centred=True, absolute=5.0, canonical=8.0, numbers=4.0, numbers_loss=key_points.loss),
}


def train_maps(options: RevertTrainOptions) -> None:
    """Writes ``checkpoint.pt``, ``metrics.jsonl`` and ``curve.csv`` (left-out subjects) in ``options.out``; weights are
    made of the checkpoints of both networks by `networks.stored.save_networks`."""
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    films = options.films_folder
    network = film_network() if options.what == "levels" else crop_network()
    people = [hung(case) for case in left_out_films(films, options.validation_people, 3, _SEED)]
    ring = FileRing(films, options.films)
    worker = None if options.films_elsewhere else RingWorker(ring, fill_with_films, options.seed)

    def drawn_from(films: FileRing, least: int) -> Draw:
        alive = worker.alive if worker else lambda: True
        return lambda rng: films.draw(FilmCase.load, rng, least=least, alive=alive)

    draws = drawn_from(ring, _LEAST_FILMS), drawn_from(elsewhere_ring(ring), _LEAST_ELSEWHERE)
    try:
        train_loop(
            network, _batches(*draws, options, ring.made()), MapsStep(_STEPS[options.what]),
            options.loop(_validation(network, people, options)),
        )  # fmt: skip
    finally:
        if worker:
            worker.close()


def _batches(draw: Draw, draw_elsewhere: Draw, options: RevertTrainOptions, made: int) -> Iterator[Batch]:
    seed = options.seed + made
    if options.what == "levels":
        return film_batches(draw, options.batch, seed, options.pixels or FILM_PIXELS, draw_elsewhere)
    return crop_batches(draw, options.batch, seed, options.pixels or CROP_PIXELS)


def _validation(network: DepthNet, people: list[FilmCase], options: RevertTrainOptions) -> Validation:
    rng, path = np.random.default_rng(_SEED), options.out / "curve.csv"
    if options.what == "levels":
        cases = whole_films(people, options.pixels or FILM_PIXELS)
        examples = [film_example(case, rng, sd_mm=5.0, hinted=0.0) for case in cases]
    else:
        pixels = options.pixels or CROP_PIXELS
        examples = [one for case in people for one in crop_examples(case, rng, pixels, 4, sd_mm=5.0)]
    bones = LEVEL_BONES if options.what == "levels" else CROP_BONES
    batches = [stacked(examples[k : k + 4]) for k in range(0, len(examples), 4)]
    return Validation(network, batches, bones, path, _LEAST_SEEN[options.what], key_points.figures)
