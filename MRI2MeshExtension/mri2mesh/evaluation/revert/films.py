"""Films that are measured on: of left-out subjects, and of labelled people through voxels, with the true surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.engines.revert.targets import LEVELS
from mri2mesh.engines.revert.training.examples import levels_in
from mri2mesh.engines.revert.training.films import left_out_trunks
from mri2mesh.engines.revert.training.hanging import hung
from mri2mesh.engines.revert.training.polarity import shows_bone_bright
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.lumbar.case import make_lumbar_case
from mri2mesh.synthesis.films.lumbar.hardware import lumbar_hardware
from mri2mesh.synthesis.films.lumbar.labelled import LabelledSpine, make_labelled_case, region_of
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import ANCHORS, LumbarMaker, LumbarRegion
from mri2mesh.synthesis.films.lumbar.views import draw_lumbar_view

VIEWS = ("ap", "lateral", "oblique", "c-arm")
FILM_PIXELS = 256
_TRIES = 20
_LEAST_SEEN = 0.6
_LABELLED_VIEWS = ("ap", "lateral")


@dataclass(frozen=True)
class MeasuredFilm:
    """subject, view: whose, and of `VIEWS`. image: [H, W] developed. camera: of it. true: level -> surface, of the
    vertebrae that are wholly or mostly in the film. centres: level -> [3] the middle of its body."""

    subject: str
    view: str
    image: NDArray[np.float32]
    camera: XrayCamera
    true: dict[str, Mesh]
    centres: dict[str, NDArray[np.float64]]


def simulated_films(
    folder: Path, per_view: int, seed: int, views: Sequence[str] = VIEWS, metal: float = 0.12
) -> list[MeasuredFilm]:
    """Of spines made of the left-out subject's own vertebrae, so many of each view. folder: where they are kept."""
    maker, parts = LumbarMaker(left_out_trunks(folder, 4, seed)), trunk_parts()
    films = []
    for number in range(per_view * len(views)):
        view = views[number % len(views)]
        rng = np.random.default_rng([seed, number])
        region = maker.draw(rng, number=(number // len(views)) % 4, strength=0.0)
        case = hung(_film(region, view, rng))
        assert case.vertices is not None
        levels = [VERTEBRAE[row] for row in levels_in(case) if VERTEBRAE[row] in LEVELS]
        anchors = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)
        films.append(
            MeasuredFilm(
                "P002",
                view,
                _developed(case, rng, metal),
                case.camera,
                {name: Mesh(case.vertices[parts.rows[name]], parts.vertebra_faces) for name in levels},
                {name: anchors[VERTEBRAE.index(name), 0] for name in levels},
            )
        )
    return films


def labelled_films(
    labels: Path, subject: str, per_view: int, seed: int, *, alone: bool = False
) -> list[MeasuredFilm]:
    """Of one labelled person, by line integrals through the labels' voxels with made-up soft tissue around.

    labels: VerSe's numbers; vertebrae that the volume cuts are not measured. alone: each vertebra by itself in a film.
    Raises InputError where there is no whole one.
    """
    spine = LabelledSpine.of(read_volume(labels))
    levels = [name for name in LEVELS if name in spine.surfaces and spine.whole(name)]
    if not levels:
        raise InputError(f"no whole lumbar vertebra is labelled in {labels.name}")
    region = region_of(spine)
    anchors, films = region.anchors, list[MeasuredFilm]()
    for number in range(per_view * len(_LABELLED_VIEWS)):
        view = _LABELLED_VIEWS[number % len(_LABELLED_VIEWS)]
        rng = np.random.default_rng([seed, number])
        shown = draw_lumbar_view(region, rng, FILM_PIXELS, view)
        one = levels[number // len(_LABELLED_VIEWS) % len(levels)]
        case = hung(make_labelled_case(spine, one, shown, rng, alone=alone))
        inside = [
            name
            for name in ([one] if alone else levels)
            if _inside(spine.surfaces[name].vertices, case.camera)
        ]
        films.append(
            MeasuredFilm(
                subject,
                view,
                _developed(case, rng, 0.0),
                case.camera,
                {name: spine.surfaces[name] for name in inside},
                {name: anchors[VERTEBRAE.index(name), 0] for name in inside},
            )
        )
    return films


def _developed(case: FilmCase, rng: np.random.Generator, metal: float) -> NDArray[np.float32]:
    """With bone bright, as the engine finds out."""
    film = develop(case, rng, Appearance(metal=metal), lumbar_hardware)
    return film if shows_bone_bright(case, film) else -film


def _film(region: LumbarRegion, view: str, rng: np.random.Generator) -> FilmCase:
    for _ in range(_TRIES):
        try:
            return make_lumbar_case(region, draw_lumbar_view(region, rng, FILM_PIXELS, view), rng)
        except InputError:
            continue  # a bone that reaches the source: another view
    raise InputError("no film of a spine could be made")


def _inside(vertices: NDArray, camera: XrayCamera) -> bool:
    """Whether most of a vertebra is projected onto the film."""
    places, (rows, columns) = camera.project(vertices[::7].astype(np.float64)), camera.size
    return bool(((places > 2) & (places < [columns - 3, rows - 3])).all(axis=1).mean() >= _LEAST_SEEN)
