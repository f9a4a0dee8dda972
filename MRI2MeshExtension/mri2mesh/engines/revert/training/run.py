"""``mri2mesh train revert``: the points of a vertebra from its crop, on new films all along or on paired data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from mri2mesh.engines.revert.networks.points_net import PointsNet
from mri2mesh.engines.revert.networks.stored import CROP_PIXELS
from mri2mesh.engines.revert.points import NAME
from mri2mesh.engines.revert.training.examples import (
    Example,
    PairedCase,
    PointBatch,
    film_batches,
    film_examples,
    paired_batches,
    paired_example,
)
from mri2mesh.engines.revert.training.films import LEFT_OUT, fill_with_films, left_out_films
from mri2mesh.engines.revert.training.options import WHATS, RevertTrainOptions
from mri2mesh.engines.revert.training.run_maps import train_maps
from mri2mesh.engines.revert.training.step import PointStep
from mri2mesh.engines.revert.training.validation import PointValidation
from mri2mesh.errors import InputError
from mri2mesh.learning.loop import train_loop
from mri2mesh.learning.ring import FileRing, RingWorker
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.weights import save_weights

LICENCE = "CC BY-SA 4.0"
_SEED = 991
_EVERY = 5
"""Of the subjects of paired data, one in so many is validated on."""
_VIEWS_MEASURED = 2


def train_revert(options: RevertTrainOptions, pairs: Sequence[PairedCase] | None = None) -> None:
    """Writes ``checkpoint.pt``, ``metrics.jsonl``, ``curve.csv`` (left-out subjects) and the averaged weights.

    pairs: paired data with subjects (`datasets.revert.read_revert`), instead of films that are made here; every fifth
    subject is validated on. Raises InputError for sizes that the network cannot take, or fewer than two subjects.
    """
    if options.what not in WHATS:
        raise InputError(f"--what {options.what}: use one of {', '.join(WHATS)}")
    if options.pixels is not None and (options.pixels % 32 or options.pixels < 32):
        raise InputError(f"--pixels {options.pixels}: use a multiple of 32")
    if options.what != "points":
        if pairs is not None:
            raise InputError("--pairs is for the network of points alone: leave --what out")
        train_maps(options)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    network = PointsNet(options.width)
    if pairs is not None:
        learned, measured = split_by_subject(pairs)
        examples, batches = _of_pairs(learned, measured, options)
        _train(network, batches, examples, options)
        return
    films = options.films_folder
    pixels = options.pixels or CROP_PIXELS
    examples = _left_out_examples(left_out_films(films, options.validation_people, 3, _SEED), pixels)
    ring = FileRing(films, options.films)
    worker = None if options.films_elsewhere else RingWorker(ring, fill_with_films, options.seed)

    def draw(rng: np.random.Generator) -> FilmCase:
        return ring.draw(FilmCase.load, rng, alive=worker.alive if worker else lambda: True)

    try:
        made = film_batches(draw, options.batch, options.seed + ring.made(), pixels)
        _train(network, made, examples, options)
    finally:
        if worker:
            worker.close()


def split_by_subject(pairs: Sequence[PairedCase]) -> tuple[list[PairedCase], list[PairedCase]]:
    """Those to learn from and those to measure on: every fifth subject, one at least. Raises InputError for one."""
    subjects = sorted({case.id.subject for case in pairs})
    if len(subjects) < 2:
        raise InputError("paired data of one subject alone leave nobody to measure on: add another subject")
    chosen = set(subjects[:: max(2, min(_EVERY, len(subjects)))])
    measured = [case for case in pairs if case.id.subject in chosen]
    return [case for case in pairs if case.id.subject not in chosen], measured


def _left_out_examples(films: list[FilmCase], pixels: int) -> list[Example]:
    rng = np.random.default_rng(_SEED)
    return [example for case in films for example in film_examples(case, rng, pixels, 3, sd_mm=5.0)]


def _of_pairs(
    learned: list[PairedCase], measured: list[PairedCase], options: RevertTrainOptions
) -> tuple[list[Example], Iterator[PointBatch]]:
    rng = np.random.default_rng(_SEED)
    examples = [
        paired_example(case, rng, options.pixels or CROP_PIXELS, int(number))
        for case in measured
        for number in rng.permutation(len(case.views))[:_VIEWS_MEASURED]
    ]
    return examples, paired_batches(learned, options.batch, options.seed, options.pixels or CROP_PIXELS)


def _train(
    network: PointsNet, batches: Iterator[PointBatch], examples: list[Example], options: RevertTrainOptions
) -> None:
    state = train_loop(
        network, batches, PointStep(), options.loop(PointValidation(network, examples, options.out))
    )
    save_weights(
        NAME,
        {name: value.half() if value.is_floating_point() else value for name, value in state.items()},
        folder=options.out,
        licence=LICENCE,
        origin="trained on synthetic films made from the anatomy in ModelWeights/README.md, or on paired data",
        engine="revert",
        created_by="mri2mesh train revert",
        metadata={
            "width": network.width,
            "code": network.code,
            "points": network.points,
            "pixels": options.pixels or CROP_PIXELS,
            "left_out": list(LEFT_OUT),
        },
    )
