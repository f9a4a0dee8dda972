"""Films of subjects that took no part in training, with the true surfaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.synthesis.films.case import FilmCase, make_case
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines
from mri2mesh.synthesis.films.views import View, draw_view

_FEWEST_PIXELS = 300
_TRIES = 20


@dataclass(frozen=True)
class LeftOutFilm:
    """subject: whose pelvis it is. region: the true bones, posed. case: the film and its maps."""

    subject: str
    region: PosedRegion
    case: FilmCase


def left_out_films(
    shapes: RegionShapes,
    spines: LowerSpines | None,
    count: int,
    seed: int,
    *,
    standard: bool = False,
    change: Callable[[View, PosedRegion], View] = lambda view, region: view,
) -> list[LeftOutFilm]:
    """One film after the other of each subject in turn: nothing is blended or deformed; femora are their own where
    there are any, else fitted ones of another left-out subject.

    standard: front views of the whole pelvis on a table alone, else all kinds of views. change: what becomes of each
    view. The same seed gives the same films.
    """
    maker, films = RegionMaker(shapes, spines), list[LeftOutFilm]()
    while len(films) < count:
        number = len(films)
        rng = np.random.default_rng([seed, number])
        row = number % len(shapes.pelves)
        own = [k for k, name in enumerate(shapes.femur_subjects) if name == shapes.pelvis_subjects[row]]
        femur = shapes.femora[own[0] if own else rng.integers(len(shapes.femora))].astype(np.float64)
        for _ in range(_TRIES):
            region = maker.pose(shapes.pelves[row].astype(np.float64), [femur, femur], rng, fitted=not own)
            view = _standard_view(region, rng) if standard else draw_view(region, rng)
            try:
                case = make_case(maker, region, change(view, region), rng)
            except InputError:
                continue  # a leg that reaches the source
            if case.truth.mask.sum() > _FEWEST_PIXELS:
                films.append(LeftOutFilm(shapes.pelvis_subjects[row], region, case))
                break
        else:
            raise InputError(f"no film of {shapes.pelvis_subjects[row]} could be made")
    return films


def _standard_view(region: PosedRegion, rng: np.random.Generator) -> View:
    """The first view of the whole pelvis from the front that is drawn."""
    while True:
        view = draw_view(region, rng, oblique=False)
        if view.kind == "table":
            return view
