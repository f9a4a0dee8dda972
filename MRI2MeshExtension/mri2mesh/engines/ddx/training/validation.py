"""Films of subjects that took no part in training 3DDX, as they are measured on while it goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.engines.ddx.training.batches import make_batch
from mri2mesh.engines.ddx.training.left_out import left_out_films
from mri2mesh.engines.dense_maps.training.batches import whole_films
from mri2mesh.engines.dense_maps.training.validation import Validation
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines

_SEED = 991


def validation_cases(
    shapes: RegionShapes, spines: LowerSpines | None, count: int, seed: int = _SEED
) -> list[FilmCase]:
    """Films of the subjects as they are, of all views."""
    return [film.case for film in left_out_films(shapes, spines, count, seed)]


def validation_of(network: nn.Module, cases: list[FilmCase], folder: Path, pixels: int) -> Validation:
    """Writes ``curve.csv`` in the folder. pixels: of a film's side."""
    cases, rng = whole_films(cases, pixels), np.random.default_rng(_SEED)
    batches = [make_batch(cases[k : k + 4], rng, reference_sd_mm=5.0) for k in range(0, len(cases), 4)]
    return Validation(network, batches, BONES, folder / "curve.csv")
