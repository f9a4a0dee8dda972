"""``mri2mesh train ddx``: films made all along by one process, the network trained on them by this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from mri2mesh.engines.ddx.networks.stored import new_network, save_network
from mri2mesh.engines.ddx.training.batches import batches
from mri2mesh.engines.ddx.training.films import fill_with_films
from mri2mesh.engines.ddx.training.validation import validation_cases, validation_of
from mri2mesh.engines.dense_maps.losses import DEPTH_LOSSES
from mri2mesh.engines.dense_maps.training.step import MapsStep, StepOptions
from mri2mesh.errors import InputError
from mri2mesh.learning.loop import train_loop
from mri2mesh.learning.ring import FileRing, RingWorker
from mri2mesh.learning.run_options import RunOptions
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.region_shapes import RegionShapes, build_region_shapes
from mri2mesh.synthesis.films.spines import LowerSpines, draw_spines

LEFT_OUT = (
    "limb04", "limb11", "limb18", "limb23",
    "atlas06", "atlas16", "atlas33", "atlas47",
    "gias03", "gias08",
)  # fmt: skip
"""Nothing of these subjects, nor of their mirror images, is in the shapes that films are made from."""
_SPINES = 40


@dataclass(frozen=True, kw_only=True)
class DdxTrainOptions(RunOptions):
    """data: the training folder. loss: of `losses.DEPTH_LOSSES`. absolute: weight of the mean absolute error of depth
    beside it, 0 for the losses as published. pixels: of the films' side as the network sees them, a multiple of 32; few
    to begin with and more for the end, with `resume`, learns most in a given time."""

    data: Path
    loss: str = "independent"
    centred: bool = False
    absolute: float = StepOptions.absolute
    pixels: int = 256
    validation_films: int = 32


def train_ddx(options: DdxTrainOptions) -> None:
    """Writes ``checkpoint.pt``, ``metrics.jsonl``, ``curve.csv`` (left-out subjects) and the averaged weights.

    Raises InputError for a loss that does not exist or training data that are not there.
    """
    if options.loss not in DEPTH_LOSSES:
        raise InputError(f"--loss {options.loss}: use one of {', '.join(DEPTH_LOSSES)}")
    if options.pixels % 32 or options.pixels < 64:
        raise InputError(f"--pixels {options.pixels}: use a multiple of 32, from 64 upwards")
    options.out.mkdir(parents=True, exist_ok=True)
    films = options.films_folder
    shapes, spines = prepared_anatomy(options.data, films, options.seed)
    everybody = RegionShapes.load(shapes)
    cases = validation_cases(everybody.only(LEFT_OUT), LowerSpines.load(spines), options.validation_films)
    torch.manual_seed(options.seed)
    network = new_network()
    ring = FileRing(films, options.films)
    worker = RingWorker(ring, fill_with_films, shapes, spines, LEFT_OUT, options.seed)

    def draw(rng: np.random.Generator) -> FilmCase:
        return ring.draw(FilmCase.load, rng, alive=worker.alive)

    try:
        state = train_loop(
            network,
            batches(draw, options.batch, options.seed + ring.made(), options.pixels),
            MapsStep(StepOptions(options.loss, options.centred, absolute=options.absolute)),
            options.loop(validation_of(network, cases, options.out, options.pixels)),
        )
    finally:
        worker.close()
    save_network(
        options.out,
        state,
        everybody.without(LEFT_OUT).canonical(),
        {
            "widths": list(network.widths),
            "loss": options.loss,
            "pixels": options.pixels,
            "left_out": list(LEFT_OUT),
        },
    )


def prepared_anatomy(data: Path, folder: Path, seed: int) -> tuple[Path, Path]:
    """Files of shapes and spines in a folder, made on the first run: some five minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes, spines = folder / "shapes.npz", folder / "spines.npz"
    if not shapes.exists():
        tqdm.write("bringing all subjects into one topology")
        build_region_shapes(data).save(shapes)
    if not spines.exists():
        tqdm.write("drawing lower spines")
        draw_spines(_SPINES, seed).save(spines)
    return shapes, spines
