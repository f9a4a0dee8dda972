"""``mri2mesh evaluate ddx``: pelvis and femora from one front view of left-out subjects, beside what the mean shape and
perfect maps would give.

Every subject that is measured took part neither in the films of training nor in the shape models of the completion.
Surfaces are measured three ways: as placed; with the one distance along the beam put right by the truth; after a
similarity transform to the truth. Of a femur the part in the film is measured.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mri2mesh.engines.ddx.engine import SAMPLES
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork, load_network
from mri2mesh.engines.ddx.region import complete_region
from mri2mesh.engines.ddx.seeing import look
from mri2mesh.engines.ddx.targets import Target, targets
from mri2mesh.engines.ddx.training.left_out import LeftOutFilm, left_out_films
from mri2mesh.engines.ddx.training.run import LEFT_OUT, prepared_anatomy
from mri2mesh.engines.dense_maps.completion.complete import Completion, Noise
from mri2mesh.engines.dense_maps.film import network_film
from mri2mesh.engines.dense_maps.inputs import STANDARD_REFERENCE_SD_MM, Reference, depth_of
from mri2mesh.engines.dense_maps.maps import BoneMaps
from mri2mesh.engines.dense_maps.training.batches import drawn_reference
from mri2mesh.errors import InputError
from mri2mesh.evaluation.ddx.conditions import CONDITIONS, DISTANCES, VIEWS, wrong_distance
from mri2mesh.evaluation.ddx.scores import Score, mean_shape_scores, scores_of
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import TRUTH_GRID
from mri2mesh.synthesis.films.develop import develop
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines

FILMS_SEED = 4242
PERFECT = dict.fromkeys(SAMPLES, Noise(1.0, 1.5))


def evaluate(
    data: Path,
    cases: Path,
    out: Path,
    *,
    films: int = 16,
    conditions: Sequence[str] = ("standard",),
    weights_dir: Path | None = None,
) -> list[dict[str, object]]:
    """Rows of all films, targets and methods; writes ``ddx.csv`` and prints the medians and means.

    data: the training folder. cases: where shapes and spines for films are kept, made there on the first run.
    weights_dir: a folder with the network's weights; without it and without shipped ones the floor and the mean shape
    are measured alone. conditions: of `conditions.CONDITIONS`. Raises InputError where data are missing or a
    condition is unknown.
    """
    if unknown := set(conditions) - set(CONDITIONS):
        raise InputError(
            f"no condition is called {sorted(unknown)[0]!r}: use some of {', '.join(CONDITIONS)}"
        )
    shapes, spines = prepared_anatomy(data, cases, 0)
    everybody = RegionShapes.load(shapes)
    bones, places = targets(LEFT_OUT), everybody.without(LEFT_OUT).canonical()
    trained = _network(weights_dir)
    rows: list[dict[str, object]] = []
    for condition in conditions:
        some = left_out_films(
            everybody.only(LEFT_OUT), LowerSpines.load(spines), films, FILMS_SEED, standard=True,
            change=VIEWS.get(condition, VIEWS["standard"]),
        )  # fmt: skip
        for film in tqdm(some, desc=condition):
            for row in film_rows(film, bones, places, trained, DISTANCES.get(condition)):
                rows.append({"condition": condition, **row})
    _write(rows, out / "ddx.csv")
    print(table(rows))
    return rows


def film_rows(
    film: LeftOutFilm,
    bones: Sequence[Target],
    places: NDArray,
    trained: TrainedNetwork | None,
    distance_factor: float | None = None,
) -> Iterator[dict[str, object]]:
    """Scores of every target and method. places: [V, 3] on the mean bones. distance_factor: of the distance to the
    detector that is believed."""
    true_camera = film.case.camera
    camera = true_camera if distance_factor is None else wrong_distance(true_camera, distance_factor)
    methods = {"floor": complete_region(true_maps(film), bones, places, PERFECT, _true_reference(film))}
    if trained is not None:
        maps, reference = predicted_maps(trained, film, camera)
        methods["ddx"] = complete_region(maps, bones, places, SAMPLES, reference)
    for number, target in enumerate(bones):
        true = film.region.vertices[target.rows].astype(np.float64)
        head: dict[str, object] = {"subject": film.subject, "target": target.name}
        for name, score in mean_shape_scores(target.model, true, true_camera).items():
            yield head | {"method": "mean shape", "alignment": name} | vars(score)
        for method, completed in methods.items():
            result = completed[number]
            if result is None:
                yield head | {"method": method, "alignment": "refused"}
                continue
            spread = _spread_ratio(result, true, camera)
            for name, score in scores_of(result.vertices, true, target.model.faces, true_camera).items():
                yield head | {"method": method, "alignment": name, "error_over_stated": spread} | vars(score)


def _spread_ratio(result: Completion, true: NDArray, camera: XrayCamera) -> float:
    """Root mean square error of measured vertices, without the common shift along the beam, over what is stated."""
    error = (result.vertices - true)[result.measured]
    beam = camera.axes_ras[2]
    error = error - (error @ beam).mean() * beam
    stated = np.sqrt(3 * np.mean(result.uncertainty_mm[result.measured] ** 2))
    return float(np.sqrt((error**2).sum(axis=1).mean()) / stated)


def table(rows: Sequence[dict[str, object]]) -> str:
    """Markdown: mean ASSD / HD95 in mm by condition, target, method and alignment, with how many films."""
    lines = ["| condition | target | method | alignment | n | ASSD | HD95 |", "|---|---|---|---|---|---|---|"]
    names = ("condition", "target", "method", "alignment")
    for key in dict.fromkeys(tuple(row[name] for name in names) for row in rows):
        own = [row for row in rows if tuple(row[name] for name in names) == key]
        figures = [f"{np.mean([float(str(row[name])) for row in own]):.2f}" if "assd" in own[0] else "-"
                   for name in ("assd", "hd95")]  # fmt: skip
        lines.append(f"| {' | '.join(str(part) for part in key)} | {len(own)} | {' | '.join(figures)} |")
    return "\n".join(lines)


def true_maps(film: LeftOutFilm) -> BoneMaps:
    """What a network that makes no error would see."""
    truth = film.case.truth
    return BoneMaps(
        truth.mask.astype(np.float32), truth.depth, truth.canonical, film.case.camera.coarser(TRUTH_GRID)
    )


def _true_reference(film: LeftOutFilm) -> Reference:
    depth = depth_of(film.case.camera, film.case.anchors_ras_mm.mean(axis=0))
    return Reference(depth, STANDARD_REFERENCE_SD_MM)


def predicted_maps(
    trained: TrainedNetwork, film: LeftOutFilm, camera: XrayCamera
) -> tuple[BoneMaps, Reference]:
    """The distance of the table known to 5 mm; the film developed as seeds say, then read as the engine does.

    camera: as it is believed to be; the distance from hips to detector is believed rightly.
    """
    rng = np.random.default_rng(FILMS_SEED)
    known = drawn_reference(film.case, rng, STANDARD_REFERENCE_SD_MM)
    further = camera.source_to_detector_mm - film.case.camera.source_to_detector_mm
    reference = Reference(known.depth_mm + further, known.sd_mm)
    image = develop(film.case, rng)
    return look(trained, network_film(image, camera, trained.pixels), reference), reference


def _network(weights_dir: Path | None) -> TrainedNetwork | None:
    try:
        return load_network(weights_dir)
    except InputError:
        if weights_dir is not None:
            raise
        return None


def _write(rows: Sequence[dict[str, object]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [
        "condition",
        "subject",
        "target",
        "method",
        "alignment",
        "error_over_stated",
        *Score.__dataclass_fields__,
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
