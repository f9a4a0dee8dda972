"""``mri2mesh evaluate lumbar-mri``: engine and baselines on labelled exams, as they are and with thick slices."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from mri2mesh.engines.mri2mesh.deformation.models import Models, load_baseline, load_models
from mri2mesh.engines.mri2mesh.localisation.levels import name_levels
from mri2mesh.engines.mri2mesh.localisation.spine import find_spine
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.evaluation.lumbar_mri.baselines import mean_shape, undeformed, unet_surfaces
from mri2mesh.evaluation.lumbar_mri.engine_runs import Soundness, comparable_surfaces, engine_run
from mri2mesh.evaluation.lumbar_mri.exams import Exam, read_exams
from mri2mesh.evaluation.lumbar_mri.scores import Score, score_exam, summarise
from mri2mesh.evaluation.lumbar_mri.wall_tables import describe_walls, wall_tables
from mri2mesh.export.pictures import write_contours
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.resampling import average_slices
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
    """Score every exam in ``folder``; print per exam and in all.

    With ``out`` also scores.csv, walls.csv, soundness.csv, summary.json and, per exam, a picture of the contours.
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
    collections: dict[str, str] = {}
    soundness: list[Soundness] = []
    for exam in tqdm(list(read_exams(folder, limit)), desc="exams"):
        collections[exam.name] = exam.collection
        of_exam: list[Score] = []
        tqdm.write(exam.name)
        for method, volume in _volumes(exam, thick).items():
            result, sound = engine_run(exam.name, method, volume, models)
            soundness.append(sound)
            of_exam += score_exam(exam, method, comparable_surfaces(result, exam.bodies_only))
            tqdm.write(f"  {method}: {_soundness_line([sound])}")
            if out is not None and result is not None:
                out.mkdir(parents=True, exist_ok=True)
                write_contours(result, volume, out / f"{exam.name}_{volume.spacing[0]:.0f}mm.png")
        if baselines:
            for method, run in _baselines(exam, models, unet).items():
                of_exam += score_exam(exam, method, run())
        scores += of_exam
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
    tables = wall_tables(scores, collections)
    print(describe_walls(tables))
    for method in dict.fromkeys(sound.method for sound in soundness):
        print(f"  {method}: {_soundness_line([sound for sound in soundness if sound.method == method])}")
    if out is not None:
        _write(scores, soundness, out)
        write_csv([asdict(table) for table in tables], out / "walls.csv")
    return scores


def _volumes(exam: Exam, thick: bool) -> dict[str, Volume]:
    """What the engine is given."""
    volumes = {ENGINE: exam.image}
    if thick:
        volumes[THICK_SLICES] = average_slices(exam.image, "x", THICK)
    return volumes


def _baselines(exam: Exam, models: Models, unet: UNet3d | None) -> dict[str, Callable[[], dict[str, Mesh]]]:
    runs: dict[str, Callable[[], dict[str, Mesh]]] = {MEAN: lambda: mean_shape(exam, models)}
    try:
        spine = find_spine(exam.image, models.localiser, models.device)
    except ReconstructionRefused:  # what starts from the localiser misses everything with it
        return {**runs, UNDEFORMED: dict, UNET: dict} if unet is not None else {**runs, UNDEFORMED: dict}
    names = name_levels(spine, exam.image).names
    runs[UNDEFORMED] = lambda: undeformed(spine, names, models, exam.bodies_only)
    if unet is not None and exam.bodies_only:  # it was taught bodies
        runs[UNET] = lambda: unet_surfaces(exam.image, spine, names, unet, models)
    return runs


def _soundness_line(runs: list[Soundness]) -> str:
    surfaces, open_ones, crossing = (
        sum(getattr(run, key) for run in runs) for key in ("surfaces", "not_closed", "self_intersecting")
    )
    longest = max(run.seconds for run in runs)
    return (
        f"{surfaces} surfaces, {open_ones} not closed, {crossing} self-intersecting, at most {longest:.0f} s"
    )


def _line(title: str, rows: list[Score]) -> str:
    s = summarise(rows)
    return (
        f"{title:<34} n {s['n']:>4}  found {100 * s['found']:5.1f}%  level {100 * s['level_correct']:5.1f}%"
        f"  Dice {s['dice']:.3f}  ASSD {s['assd_mm']:.2f} mm  HD95 {s['hd95_mm']:.2f} mm"
    )


def _write(scores: list[Score], soundness: list[Soundness], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_csv([asdict(score) for score in scores], out / "scores.csv")
    write_csv([asdict(sound) for sound in soundness], out / "soundness.csv")
    groups = sorted({(score.method, score.kind) for score in scores})
    summary = {
        f"{method} / {kind}": summarise(s for s in scores if (s.method, s.kind) == (method, kind))
        for method, kind in groups
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1))


def write_csv(rows: list[dict[str, object]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
