"""``mri2mesh evaluate lumbar-mri``: engine and baselines on labelled exams, as they are and with thick slices."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from mri2mesh.deformation.models import Models, load_baseline, load_models
from mri2mesh.engines import mri2mesh as engine
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.evaluation.baselines import mean_shape, undeformed, unet_surfaces
from mri2mesh.evaluation.exams import Exam, read_exams
from mri2mesh.evaluation.scores import Score, comparable, score_exam, summarise
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.imaging.resampling import average_slices
from mri2mesh.imaging.volume import Volume
from mri2mesh.localisation.levels import level_names
from mri2mesh.localisation.spine import find_spine
from mri2mesh.networks.unet import UNet3d

THICK = 4
"""Slices of 1 mm averaged for the thick variant: the clinical protocol the exams came from."""

ENGINE, THICK_SLICES, MEAN, UNDEFORMED, UNET = METHODS = (
    "mri2mesh",
    "mri2mesh, 4 mm slices",
    "mean shape at the truth",
    "template undeformed",
    "U-Net",
)


def evaluate(
    folder: Path,
    out: Path | None = None,
    *,
    limit: int | None = None,
    baselines: bool = True,
    thick: bool = True,
    device: str = "auto",
    weights_dir: Path | None = None,
) -> list[Score]:
    """Score every exam in ``folder``; print per exam and in all; with ``out`` write scores.csv and summary.json.

    Raises InputError when the folder holds no exam or weights are missing.
    """
    models = load_models(device, weights_dir)
    unet = None
    if baselines:
        try:
            unet = load_baseline(models.device, weights_dir)
        except InputError as error:
            print(f"U-Net left out: {error}")
    scores: list[Score] = []
    for exam in tqdm(list(read_exams(folder, limit)), desc="exams"):
        of_exam = []
        for method, run in _runs(exam, models, unet, baselines, thick).items():
            of_exam += score_exam(exam, method, _or_nothing(run))
        scores += of_exam
        tqdm.write(exam.name)
        for method in METHODS:
            rows = [score for score in of_exam if score.method == method]
            for kind in sorted({row.kind for row in rows}):
                tqdm.write(_line(f"  {method}, {kind}", [row for row in rows if row.kind == kind]))
    print("all exams (medians over the structures found)")
    for kind in ("body", "disc", "S1"):
        for method in METHODS:
            rows = [score for score in scores if score.method == method and score.kind == kind]
            if rows:
                print(_line(f"  {kind}, {method}", rows))
    if out is not None:
        _write(scores, out)
    return scores


def _runs(
    exam: Exam, models: Models, unet: UNet3d | None, baselines: bool, thick: bool
) -> dict[str, Callable[[], dict[str, Mesh]]]:
    runs: dict[str, Callable[[], dict[str, Mesh]]] = {ENGINE: lambda: engine_surfaces(exam.image, models)}
    if thick:
        runs[THICK_SLICES] = lambda: engine_surfaces(average_slices(exam.image, "x", THICK), models)
    if baselines:
        runs[MEAN] = lambda: mean_shape(exam, models)
        try:
            spine = find_spine(exam.image, models.localiser, models.device)
        except ReconstructionRefused:  # what starts from the localiser misses everything with it
            return {**runs, UNDEFORMED: dict, UNET: dict} if unet is not None else {**runs, UNDEFORMED: dict}
        names = level_names(spine.chain)
        runs[UNDEFORMED] = lambda: undeformed(spine, names, models)
        if unet is not None:
            runs[UNET] = lambda: unet_surfaces(exam.image, spine, names, unet, models)
    return runs


def engine_surfaces(volume: Volume, models: Models) -> dict[str, Mesh]:
    """What the engine gives, cut to what the labels mean."""
    result = engine.reconstruct_with(volume, models)
    return {item.name: comparable(item.name, item.mesh) for item in result.structures}


def _or_nothing(run: Callable[[], dict[str, Mesh]]) -> dict[str, Mesh]:
    """A refusal is a miss of every structure, not the end of the evaluation."""
    try:
        return run()
    except ReconstructionRefused:
        return {}


def _line(title: str, rows: list[Score]) -> str:
    s = summarise(rows)
    return (
        f"{title:<34} n {s['n']:>4}  found {100 * s['found']:5.1f}%  level {100 * s['level_correct']:5.1f}%"
        f"  Dice {s['dice']:.3f}  ASSD {s['assd_mm']:.2f} mm  HD95 {s['hd95_mm']:.2f} mm"
    )


def _write(scores: list[Score], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (out / "scores.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(scores[0])))
        writer.writeheader()
        writer.writerows(asdict(score) for score in scores)
    groups = sorted({(score.method, score.kind) for score in scores})
    summary = {
        f"{method} / {kind}": summarise(s for s in scores if (s.method, s.kind) == (method, kind))
        for method, kind in groups
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1))
