"""The lumbar spine among the samples: vertebrae, sacrum and ribs that are nobody's, on a table, from the front."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mri2mesh.anatomy.lumbar_region import BONES
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.dx_file import DxFilm, write_dx
from mri2mesh.synthesis.films.lumbar.case import make_lumbar_case
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker
from mri2mesh.synthesis.films.lumbar.trunks import draw_trunks
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry
from mri2mesh.synthesis.films.views import View

NAME = "lumbar_front"
SIZE, FIELD_MM = 320, 380.0
SOURCE_TO_DETECTOR_MM, SOURCE_TO_SPINE_MM = 1150.0, 1000.0
SEED, SPINE_SEED = 5, 21
CENTRE_MM = (0.0, 0.0, -12.0)
"""Of the field, from the middle of L3: T12 to the upper sacrum lie in it."""


def write_lumbar(folder: Path) -> Path:
    """One DX image with the distances in its tags and nobody's name."""
    rng = np.random.default_rng(SEED)
    region = LumbarMaker(draw_trunks([0], SPINE_SEED, healthy=True)).draw(rng)
    geometry = lumbar_geometry(
        SIZE,
        FIELD_MM,
        SOURCE_TO_DETECTOR_MM,
        SOURCE_TO_SPINE_MM,
        180.0,
        0.0,
        region.middle + CENTRE_MM,
        np.zeros(2),
    )
    case = make_lumbar_case(region, View(geometry.camera(), False, "ap"), rng)
    image = develop(case, rng, Appearance(metal=0.0, text=0.0, collimation=0.0))
    on = case.truth.mask[: len(BONES)].any(0)
    if image[::2, ::2][on].mean() < image[::2, ::2][~on].mean():
        image = -image  # shown as films are: bone bright
    film = DxFilm(
        NAME, "LSPINE", "Simulated^Spine", "simulated lumbar spine, front", SOURCE_TO_DETECTOR_MM,
        SOURCE_TO_SPINE_MM, FIELD_MM / SIZE,
    )  # fmt: skip
    return write_dx(folder, film, image)
