"""The tissue map of a synthetic patient: background, canal, ligaments, discs, bones, in that order."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.geometry.volume import Volume
from mri2mesh.synthesis.mr.abdomen import load_abdomen
from mri2mesh.synthesis.mr.background import (
    add_blobs,
    add_distractors,
    add_muscle_fat,
    anatomical_background,
    random_build,
)
from mri2mesh.synthesis.mr.bones import paint_sacrum, paint_vertebra, random_bones
from mri2mesh.synthesis.mr.canal import paint_canal, paint_foramina
from mri2mesh.synthesis.mr.canvas import Canvas
from mri2mesh.synthesis.mr.discs import paint_disc
from mri2mesh.synthesis.mr.ligaments import paint_longitudinal_ligaments, paint_posterior_ligaments
from mri2mesh.synthesis.mr.paravertebral import paint_nerve_roots, paint_walls, random_walls
from mri2mesh.synthesis.mr.spine_access import discs_of, vertebrae_of


def compose_tissues(
    spine: SpineSample, rng: np.random.Generator, grid: Volume, data_dir: Path
) -> tuple[Volume, dict[str, object]]:
    """Tissue map (uint8 `Tissue`) of a spine in a random patient on the grid, and what was chosen.

    grid: its array gives the shape only; its axes must run along RAS. data_dir: the folder with abdomen_ct/.
    Raises ValueError for an oblique grid, InputError when the CT is missing.
    """
    if not np.allclose(grid.ijk_to_ras[:3, :3], np.diag(grid.spacing), atol=1e-6):
        raise ValueError("tissues are composed on a grid along RAS: turn the spine, not the grid")
    build = random_build(rng)
    tissues = anatomical_background(spine, rng, grid, load_abdomen(Path(data_dir)), build)
    add_muscle_fat(tissues, rng)
    blobs = str(rng.choice(["none", "some", "everywhere"], p=[0.7, 0.18, 0.12]))
    if blobs != "none":
        add_blobs(tissues, rng, blobs == "everywhere")
    canvas = Canvas(tissues, grid)
    if rng.random() < 0.4:
        add_distractors(tissues, rng, np.ones(tissues.shape, bool))

    degeneration = {
        name: float(np.clip(rng.normal(rng.uniform(0.1, 0.8), 0.25), 0, 1)) for name in discs_of(spine)
    }
    stenosis = {
        name: float(rng.uniform(0.05, 0.5))
        for name, grade in degeneration.items()
        if rng.random() < 0.4 * grade
    }
    paint_posterior_ligaments(canvas, spine, rng)
    paint_foramina(canvas, spine, rng)
    paint_canal(canvas, spine, rng, stenosis)
    for name, grade in degeneration.items():
        paint_disc(canvas, spine, name, rng, grade)
    bones = random_bones(rng)
    paint_sacrum(canvas, spine, rng, bones)
    for name in vertebrae_of(spine):
        paint_vertebra(canvas, spine, name, rng, bones)
    walls = random_walls(rng)
    paint_walls(canvas, spine, rng, walls)
    paint_nerve_roots(canvas, spine, rng)
    paint_longitudinal_ligaments(canvas, spine, rng)
    description: dict[str, object] = {
        "build": asdict(build),
        "blobs": blobs,
        "degeneration": degeneration,
        "stenosis": stenosis,
        "walls": {**asdict(walls), "filling": walls.filling.name},
    }
    return Volume(tissues, grid.ijk_to_ras), description
