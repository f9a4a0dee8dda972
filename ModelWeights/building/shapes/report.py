"""How good the shape models are: compactness, generalisation, specificity (Davies 2002), soundness, foreign bones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from building.shapes.foreign_fits import foreign_rows
from building.shapes.vertebrae import LUMBAR, sources_of
from mri2mesh.anatomy.shape_models.measures import Recovered, leave_one_out, specificity
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.shape_models.statistics import compactness
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3


def soundness(model: ShapeModel, seed: int = 0) -> tuple[int, int, int]:
    """(surfaces looked at, of them closed and outward, of them free of self-intersections): every part of the mean,
    of +-2 standard deviations of the first five modes and of 20 random shapes."""
    rng = np.random.default_rng(seed)
    shapes = [np.zeros(len(model.modes))]
    for mode in range(min(5, len(model.modes))):
        for step in (-2.0, 2.0):
            shapes.append(step * np.eye(len(model.modes))[mode])
    shapes += [model.sample(rng) for _ in range(20)]
    surfaces = [mesh for b in shapes for mesh in model.meshes(b).values()]
    closed = sum(is_watertight(mesh) and volume_mm3(mesh) > 0 for mesh in surfaces)
    clean = sum(self_intersections(mesh) == 0 for mesh in surfaces)
    return len(surfaces), closed, clean


def _test_shapes(model: ShapeModel) -> list[tuple[str, NDArray]]:
    """Subjects and their shapes [V, 3] to leave out and test with: of a vertebra the sources of its own level."""
    if model.name in LUMBAR:
        return list(sources_of(model.name).items())
    own = np.flatnonzero(~model.mirrored) if not model.mirrored.all() else np.arange(len(model.subjects))
    return [(model.subjects[row], model.vertices(model.scores[row])) for row in own]


def report(models: dict[str, ShapeModel], data: Path) -> str:
    """Tables in Markdown. data: the training data folder, for the foreign bones."""
    rows, generalisation = [], []
    for name, model in models.items():
        share = compactness(model)
        looked, closed, clean = soundness(model)
        count = f"{len(set(model.subjects))}" + (" + mirror images" if len(set(model.mirrored)) == 2 else "")
        rows.append(
            f"| `{name}` | {count} | {len(model.mean):,} | {len(model.faces):,} | {len(model.modes)} |"
            f" {_modes_for(share, 0.9)} / {_modes_for(share, 0.95)} | {specificity(model):.2f} |"
            f" {closed} / {looked} | {clean} / {looked} |"
        )
        projected, mean = leave_one_out(model.without, _test_shapes(model))
        generalisation += [f"| `{name}` | mean shape, rigid | {_summary(mean)} |"]
        generalisation += [f"| | projected | {_summary(projected)} |"]
    lines = [
        "| model | subjects | vertices | faces | modes | for 90 / 95 % | specificity mm | closed | not self-crossing |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "| model | left-out subject against | vertex RMS mm | ASSD mm | HD95 mm | HD mm (worst) |",
        "|---|---|---|---|---|---|",
        *generalisation,
        "",
        "| model | foreign bone | placed | ASSD mm | HD95 mm | worst model vertex mm | scale |",
        "|---|---|---|---|---|---|---|",
        *foreign_rows(models, data),
    ]
    return "\n".join(lines) + "\n"


def _modes_for(share: NDArray, wanted: float) -> int:
    return int(np.searchsorted(share, wanted)) + 1


def _summary(results: list[Recovered]) -> str:
    """Means over subjects; of the largest distance also the worst subject."""
    worst = [result.distances.hd for result in results]
    means = [
        np.mean(values)
        for values in (
            [result.rms_mm for result in results],
            [result.distances.assd for result in results],
            [result.distances.hd95 for result in results],
        )
    ]
    return " | ".join(f"{value:.2f}" for value in means) + f" | {np.mean(worst):.1f} ({max(worst):.1f})"
