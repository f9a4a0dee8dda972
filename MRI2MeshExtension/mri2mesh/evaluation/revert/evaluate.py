"""``mri2mesh evaluate revert``: vertebrae of people that took no part, from one film each, beside what the mean shape
and perfect maps would give.

Each vertebra is measured twice: after a click near its body, and as the engine finds and names it; on request also
after the X-ray fit. Scores are those of `scores`, by level and view.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.completion.complete import Completion, Noise, complete
from mri2mesh.engines.dense_maps.inputs import STANDARD_REFERENCE_SD_MM, Reference, depth_of
from mri2mesh.engines.dense_maps.maps import BoneMaps
from mri2mesh.engines.revert.crop import Crop, crop_camera
from mri2mesh.engines.revert.depth import Found
from mri2mesh.engines.revert.engine import REFINED_ALONG_MM, complete_all
from mri2mesh.engines.revert.networks.points_net import PointsNet
from mri2mesh.engines.revert.networks.stored import CROP_PIXELS, TrainedNetworks, load_networks
from mri2mesh.engines.revert.points import load_points_net, model_on, points_in
from mri2mesh.engines.revert.refining import refine_all
from mri2mesh.engines.revert.seeing import SpineFilm, look_over, vertebrae_seen
from mri2mesh.engines.revert.targets import LEVELS, targets
from mri2mesh.engines.revert.vertebra import SeenVertebra
from mri2mesh.engines.xray_fit.refining import Observation
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.evaluation.revert.films import MeasuredFilm
from mri2mesh.evaluation.revert.scores import Score, scores_of
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.poisson import surface_from_points
from mri2mesh.geometry.transforms import apply, rigid_fit
from mri2mesh.synthesis.films.case import TRUTH_GRID, surface_truth

_CLICK_SD_MM = 4.0
_PERFECT = Noise(0.7, 1.0, 0.0)
_NEAR_MM = 15.0
"""A vertebra that is found this near to where it is, across the beam, has the right name."""
Row = dict[str, object]


def evaluate(
    films: Sequence[MeasuredFilm],
    out: Path,
    *,
    condition: str = "standard",
    weights_dir: Path | None = None,
    left_out: Sequence[str] = (),
    distance_sd_mm: float = STANDARD_REFERENCE_SD_MM,
    refined: bool = False,
    baselines: bool = True,
    seed: int = 0,
    points_dir: Path | None = None,
) -> list[Row]:
    """Rows of all films, levels, methods and alignments; appends to ``revert.csv`` and prints the means.

    left_out: subjects that the shape models of the completion must not have learned from. distance_sd_mm: how well the
    depth of L3 is known. refined: also after the X-ray fit to the same film. points_dir: weights of the published
    network, to be measured beside. Raises InputError for missing weights.
    """
    trained, models, rows = load_networks(weights_dir), targets(left_out), list[Row]()
    network = None if points_dir is None else load_points_net(points_dir)
    for number, film in enumerate(tqdm(films, desc=condition)):
        rng = np.random.default_rng([seed, number])
        measured = list(film_rows(film, trained, models, rng, distance_sd_mm, refined, network))
        if baselines:
            measured += baseline_rows(film, trained, models)
        rows += [{"condition": condition, "film": number, **row} for row in measured]
    _write(rows, out / "revert.csv")
    print(table(rows))
    return rows


def film_rows(
    film: MeasuredFilm,
    trained: TrainedNetworks,
    models: dict[str, ShapeModel],
    rng: np.random.Generator,
    distance_sd_mm: float,
    refined: bool = False,
    network: PointsNet | None = None,
) -> Iterator[Row]:
    """Scores of every level of a film. network: of points, also measured where a vertebra was clicked."""
    if not film.true:
        return
    beam = film.camera.axes_ras[2]
    away = distance_sd_mm * float(rng.standard_normal())
    middle = film.centres.get("L3", next(iter(film.centres.values())))
    reference = Reference(depth_of(film.camera, middle) + away, distance_sd_mm)
    seen = look_over(film.image, film.camera, trained, reference)
    clicks = {level: film.centres[level] + rng.normal(0, _CLICK_SD_MM, 3) for level in film.true}
    clicked = _made(replace(seen, clicks=clicks), list(clicks), trained, models)
    found = _made(seen, [name for name in LEVELS if name in seen.spine.centres], trained, models)
    ways = {"clicked": clicked, "found": found}
    if refined and clicked:
        view = Observation(film.camera, film.image, np.ones(film.image.shape, bool))
        ways["refined"] = refine_all([view], clicked, models, REFINED_ALONG_MM, lambda done: None)[0]
    for level, true in film.true.items():
        head: Row = {"subject": film.subject, "view": film.view, "level": level}
        model = models[level]
        if network is not None and level in clicked:
            yield from (head | row for row in points_rows(network, clicked[level][0].crop, model, true, beam))
        for method, results in ways.items():
            right = _named_rightly(seen, film, level)
            if level not in results:
                yield head | {"method": method, "alignment": "refused", "named": right}
                continue
            result = results[level][1]
            surface = Mesh(result.vertices.astype(np.float32), model.faces)
            stated = float(np.sqrt(np.mean(result.uncertainty_mm**2)))
            for name, score in scores_of(surface, true, beam).items():
                yield (
                    head
                    | {"method": method, "alignment": name, "named": right, "stated_mm": stated}
                    | vars(score)
                )


def points_rows(
    network: PointsNet, crop: Crop, model: ShapeModel, true: Mesh, beam: NDArray
) -> Iterator[Row]:
    """Of the published network on the same crop: the shape model laid on its points, and a Poisson surface of them."""
    points = points_in(network, [crop])[0]
    surfaces = {"points, model": model_on(points, model), "points, Poisson": surface_from_points(points)}
    for method, surface in surfaces.items():
        for name, score in scores_of(surface, true, beam).items():
            yield {"method": method, "alignment": name} | vars(score)


def baseline_rows(film: MeasuredFilm, trained: TrainedNetworks, models: dict[str, ShapeModel]) -> list[Row]:
    """What costs nothing, and what cannot be beaten."""
    rows = list[Row]()
    for level, true in film.true.items():
        head: Row = {"subject": film.subject, "view": film.view, "level": level}
        rows += _baselines(head, models[level], true, film, trained.places[level])
    return rows


def _made(
    seen: SpineFilm, names: list[str], trained: TrainedNetworks, models: dict[str, ShapeModel]
) -> Found:
    """As the engine makes them; without those that it refuses."""
    looked: dict[str, SeenVertebra] = {}
    for name in names:
        try:
            looked |= vertebrae_seen(seen, trained, [name])
        except InputError:
            continue
    try:
        return complete_all(looked, trained, models)[0]
    except ReconstructionRefused:
        return {}


def _baselines(
    head: Row, model: ShapeModel, true: Mesh, film: MeasuredFilm, places: NDArray
) -> Iterator[Row]:
    """The mean shape put in place by the truth; what perfect maps give where there are points in correspondence."""
    beam = film.camera.axes_ras[2]
    if len(true.vertices) != len(model.mean):
        start = model.mean + true.vertices.mean(axis=0) - model.mean.mean(axis=0)
        for name in ("rigid", "similarity"):
            score = scores_of(Mesh(start.astype(np.float32), model.faces), true, beam)[name]
            yield head | {"method": "mean shape", "alignment": name} | vars(score)
        return
    placed = apply(rigid_fit(model.mean, true.vertices), model.mean)
    for name, score in scores_of(Mesh(placed.astype(np.float32), model.faces), true, beam).items():
        if name in ("as placed", "rigid", "similarity"):
            yield head | {"method": "mean shape", "alignment": name} | vars(score)
    away = float(np.linalg.norm(true.vertices.mean(axis=0) - film.camera.source_ras_mm))
    place = film.camera.project(true.vertices.mean(axis=0))
    camera = crop_camera(film.camera, place, away, CROP_PIXELS).coarser(TRUTH_GRID)
    label = np.zeros(len(true.faces), np.int64)
    truth = surface_truth(true.vertices, true.faces, label, places.astype(np.float32), 1, camera)
    perfect = BoneMaps(truth.mask.astype(np.float32), truth.depth, truth.canonical, camera)
    floor = _floor(perfect, model, places)
    for name, score in scores_of(Mesh(floor.vertices.astype(np.float32), model.faces), true, beam).items():
        yield head | {"method": "floor", "alignment": name} | vars(score)


def _floor(perfect: BoneMaps, model: ShapeModel, places: NDArray) -> Completion:
    return complete(model, places, perfect.samples(0), noise=_PERFECT)


def _named_rightly(seen: SpineFilm, film: MeasuredFilm, level: str) -> bool:
    """Whether the engine sees the level where it is, across the beam."""
    if level not in seen.spine.centres:
        return False
    apart = seen.spine.centres[level] - film.centres[level]
    beam = film.camera.axes_ras[2]
    return bool(np.linalg.norm(apart - (apart @ beam) * beam) < _NEAR_MM)


def table(rows: Sequence[Row]) -> str:
    """Markdown: means by condition, view, method and alignment, and by level as placed of all views."""
    lines = ["| condition | view | method | alignment | n | Dice | ASSD | HD95 | Chamfer | along | across |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    everywhere = [row | {"view": "all"} for row in rows]
    for view in (*dict.fromkeys(row["view"] for row in rows), "all"):
        for key in dict.fromkeys((row["condition"], row["method"], row["alignment"]) for row in rows):
            own = [
                row
                for row in (everywhere if view == "all" else rows)
                if (row["view"], row["condition"], row["method"], row["alignment"]) == (view, *key)
            ]
            if own:
                lines.append(f"| {key[0]} | {view} | {key[1]} | {key[2]} | {len(own)} | {_figures(own)} |")
    named = {(row["film"], row["level"]): bool(row["named"]) for row in rows if "named" in row}
    lines.append(
        f"\nnamed rightly where the engine finds them: {sum(named.values())} of {len(named)} vertebrae"
    )
    return "\n".join(lines)


def _figures(rows: Sequence[Row]) -> str:
    if "assd" not in rows[0]:
        return "- | - | - | - | - | -"
    names = ("dice", "assd", "hd95", "chamfer", "along_mm", "across_mm")
    return " | ".join(f"{np.mean([abs(float(str(row[name]))) for row in rows]):.2f}" for name in names)


def _write(rows: Sequence[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ["condition", "film", "subject", "view", "level", "method", "alignment", "named", "stated_mm",
             *Score.__dataclass_fields__]  # fmt: skip
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        if new:
            writer.writeheader()
        writer.writerows(rows)
