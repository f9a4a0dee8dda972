"""Which of the network's answers costs `ddx` most: outlines, depths, or places on the bone?

    PYTHONPATH=MRI2MeshExtension python Testing/benchmarks/ddx_answers.py --data DATA --work FOLDER \
        [--films 8] [--weights DIR]

On films of left-out subjects, the standard ones of `mri2mesh evaluate ddx`, the network's answers are replaced by the
truth, one kind after the other and together, and the pelvis is completed from them as the engine does: with the noise
that it expects of the network, or with that of perfect maps. Printed are mean ASSD in mm as placed, with the depth
right and after a similarity transform.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from mri2mesh.engines.ddx.engine import SAMPLES
from mri2mesh.engines.ddx.networks.stored import load_network
from mri2mesh.engines.ddx.region import complete_region
from mri2mesh.engines.ddx.targets import targets
from mri2mesh.engines.ddx.training.left_out import left_out_films
from mri2mesh.engines.ddx.training.run import LEFT_OUT, prepared_anatomy
from mri2mesh.engines.dense_maps.maps import SURE, BoneMaps
from mri2mesh.evaluation.ddx.conditions import VIEWS
from mri2mesh.evaluation.ddx.evaluate import FILMS_SEED, PERFECT, predicted_maps, true_maps
from mri2mesh.evaluation.ddx.scores import scores_of
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines

ANSWERS = ("outlines", "depths", "places")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of training data")
    parser.add_argument("--work", type=Path, required=True, help="where prepared anatomy is kept")
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--weights", type=Path, help="folder of weights instead of the shipped")
    options = parser.parse_args()
    shapes, spines = prepared_anatomy(options.data, options.work, 0)
    everybody = RegionShapes.load(shapes)
    pelvis, places = targets(LEFT_OUT)[:1], everybody.without(LEFT_OUT).canonical()
    trained = load_network(options.weights)
    films = left_out_films(
        everybody.only(LEFT_OUT), LowerSpines.load(spines), options.films, FILMS_SEED,
        standard=True, change=VIEWS["standard"],
    )  # fmt: skip
    seen = [(film, *predicted_maps(trained, film, film.case.camera)) for film in films]
    print("| true | noise expected | as placed | depth right | similarity |\n|---|---|---|---|---|")
    for answers, noise in _trials():
        rows = []
        for film, maps, reference in seen:
            known = with_truth(maps, true_maps(film), answers)
            found = complete_region(known, pelvis, places, PERFECT if noise == "none" else SAMPLES, reference)
            true = film.region.vertices[pelvis[0].rows].astype(np.float64)
            assert found[0] is not None, f"nothing of {film.subject} was found"
            scores = scores_of(found[0].vertices, true, pelvis[0].model.faces, film.case.camera)
            rows.append([score.assd for score in scores.values()])
        figures = " | ".join(f"{value:.2f}" for value in np.mean(rows, axis=0))
        print(f"| {', '.join(answers) or 'nothing'} | {noise} | {figures} |", flush=True)


def _trials() -> Iterator[tuple[tuple[str, ...], str]]:
    for count in range(len(ANSWERS) + 1):
        for answers in combinations(ANSWERS, count):
            yield answers, "the network's"
    yield ANSWERS, "none"


def with_truth(seen: BoneMaps, true: BoneMaps, answers: tuple[str, ...]) -> BoneMaps:
    """What the network sees, with some of `ANSWERS` as they are; where a bone is not, it has no true depth."""
    there = (true.presence > SURE)[:, None]
    known = seen
    if "outlines" in answers:
        known = replace(known, presence=true.presence)
    if "depths" in answers:
        known = replace(known, depth_mm=np.where(there, true.depth_mm, seen.depth_mm))
    if "places" in answers:
        known = replace(known, places_mm=np.where(there[:, :, None], true.places_mm, seen.places_mm))
    return known


if __name__ == "__main__":
    main()
