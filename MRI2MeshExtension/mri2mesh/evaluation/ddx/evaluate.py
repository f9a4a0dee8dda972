"""``mri2mesh evaluate ddx``: pelvis and femora from one front view of left-out subjects, beside what the mean shape and
perfect maps would give.

Every subject that is measured took part neither in the films of training nor in the shape models of the completion.
Surfaces are measured three ways: as placed; with the one distance along the beam put right by the truth; after a
similarity transform to the truth. Of a femur the part in the film is measured.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.completion.complete import Completion, Noise, complete
from mri2mesh.engines.ddx.networks.unet import DepthNet
from mri2mesh.engines.ddx.points import SurfacePoints, surface_points
from mri2mesh.engines.ddx.training.batches import CANONICAL_MM, make_batch
from mri2mesh.engines.ddx.training.left_out import LeftOutFilm, left_out_films
from mri2mesh.engines.ddx.training.run import LEFT_OUT, NAME, prepared_anatomy
from mri2mesh.errors import InputError
from mri2mesh.evaluation.ddx.scores import Score, mean_shape_scores, scores_of
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines
from mri2mesh.weights import find, load_safetensors

_SEED = 4242
_PERFECT = Noise(1.0, 1.5)
_PREDICTED = Noise(3.0, 4.0)


@dataclass(frozen=True)
class Target:
    """One thing to be reconstructed: bones by their numbers, the model of them, and their rows in a region."""

    name: str
    bones: tuple[int, ...]
    model: ShapeModel
    rows: slice


Maps = tuple[NDArray, NDArray, NDArray]
"""presence [5, H, W], depth [5, 2, H, W] mm, canonical [5, 2, 3, H, W] mm."""


def evaluate(
    data: Path, cases: Path, out: Path, *, films: int = 16, weights_dir: Path | None = None
) -> list[dict[str, object]]:
    """Rows of all films, targets and methods; writes ``ddx.csv`` and prints the medians and means.

    data: the training folder. cases: where shapes and spines for films are kept, made there on the first run.
    weights_dir: a folder with the network's weights; without it and without shipped ones the floor and the mean shape
    are measured alone. Raises InputError where data are missing.
    """
    shapes, spines = prepared_anatomy(data, cases, 0)
    everybody = RegionShapes.load(shapes)
    targets = _targets(everybody)
    methods: dict[str, Callable[[LeftOutFilm], Maps]] = {"floor": _true_maps}
    network = _network(weights_dir)
    if network is not None:
        methods["ddx"] = lambda film: _predicted_maps(network, film)
    canonical = everybody.without(LEFT_OUT).canonical()
    rows: list[dict[str, object]] = []
    for film in tqdm(
        left_out_films(everybody.only(LEFT_OUT), LowerSpines.load(spines), films, _SEED, standard=True)
    ):
        maps = {name: method(film) for name, method in methods.items()}
        for target in targets:
            true = film.region.vertices[target.rows].astype(np.float64)
            head = {"subject": film.subject, "target": target.name}
            for name, score in mean_shape_scores(target.model, true, film.case.camera).items():
                rows.append(head | {"method": "mean shape", "alignment": name} | vars(score))
            for method, found in maps.items():
                noise = _PERFECT if method == "floor" else _PREDICTED
                try:
                    result = _completed(target, canonical, found, film.case.camera, noise)
                except InputError:
                    rows.append(head | {"method": method, "alignment": "refused"})
                    continue
                for name, score in scores_of(
                    result.vertices, true, target.model.faces, film.case.camera
                ).items():
                    rows.append(head | {"method": method, "alignment": name} | vars(score))
    _write(rows, out / "ddx.csv")
    print(table(rows))
    return rows


def table(rows: Sequence[dict[str, object]]) -> str:
    """Markdown: mean ASSD / HD95 in mm by target, method and alignment, with how many films."""
    lines = ["| target | method | alignment | n | ASSD | HD95 |", "|---|---|---|---|---|---|"]
    for key in dict.fromkeys((row["target"], row["method"], row["alignment"]) for row in rows):
        own = [row for row in rows if (row["target"], row["method"], row["alignment"]) == key]
        figures = [f"{np.mean([float(str(row[name])) for row in own]):.2f}" if "assd" in own[0] else "-"
                   for name in ("assd", "hd95")]  # fmt: skip
        lines.append(f"| {' | '.join(str(part) for part in key)} | {len(own)} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _targets(shapes: RegionShapes) -> list[Target]:
    joint = _without(read_shape_model("pelvis_femur"))
    count, femur = shapes.pelvis_vertices, shapes.femora.shape[1]
    femora = {side: flexible(_without(read_shape_model(f"femur_{side}"))) for side in ("left", "right")}
    return [
        Target("pelvis", (0, 1, 2), flexible(joint.only("hip_left", "hip_right", "sacrum")), slice(0, count)),
        Target("femur_left", (3,), femora["left"], slice(count, count + femur)),
        Target("femur_right", (4,), femora["right"], slice(count + femur, count + 2 * femur)),
    ]


def _without(model: ShapeModel) -> ShapeModel:
    for name in LEFT_OUT:
        if name in model.subjects:
            model = model.without(name)
    return model


def _completed(
    target: Target, canonical: NDArray, maps: Maps, camera: XrayCamera, noise: Noise
) -> Completion:
    grid = camera.coarser(camera.size[0] // maps[0].shape[1])
    parts = [surface_points(grid, maps[0][k], maps[1][k], maps[2][k]) for k in target.bones]
    samples = SurfacePoints(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in SurfacePoints.__dataclass_fields__
        )
    )
    return complete(target.model, canonical[target.rows], samples, noise=noise)


def _true_maps(film: LeftOutFilm) -> Maps:
    truth = film.case.truth
    return truth.mask.astype(np.float32), truth.depth, truth.canonical


def _network(weights_dir: Path | None) -> DepthNet | None:
    try:
        entry = find(NAME, weights_dir)
    except InputError:
        if weights_dir is not None:
            raise
        return None
    network = DepthNet(tuple(entry.metadata["widths"]))
    network.load_state_dict(load_safetensors(NAME, torch.device("cpu"), weights_dir))
    return network.eval()


def _predicted_maps(network: DepthNet, film: LeftOutFilm) -> Maps:
    """The distance of the table known to 5 mm; the film developed as seeds say."""
    batch = make_batch([film.case], np.random.default_rng(_SEED), reference_sd_mm=5.0)
    with torch.inference_mode():
        maps = network(batch.film, batch.camera)
    depth = maps.log_depth[0].exp() * batch.reference_mm
    return torch.sigmoid(maps.mask[0]).numpy(), depth.numpy(), maps.canonical[0].numpy() * CANONICAL_MM


def _write(rows: Sequence[dict[str, object]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ["subject", "target", "method", "alignment", *Score.__dataclass_fields__]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
