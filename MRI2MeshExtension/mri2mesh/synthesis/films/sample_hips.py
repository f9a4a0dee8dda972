"""The front view among the samples: hips, sacrum, femora and lower spine that are nobody's, on a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import make_case
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.dx_file import DxFilm, write_dx
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.region_shapes import joint_shapes
from mri2mesh.synthesis.films.spines import draw_spines
from mri2mesh.synthesis.films.views import View

NAME = "hips_front"
SIZE, FIELD_MM = 320, 410.0
SOURCE_TO_DETECTOR_MM, SOURCE_TO_HIPS_MM = 1150.0, 1010.0
SEED, SPINE_SEED = 12, 11


def write_hips(folder: Path) -> Path:
    """One DX image with the distances in its tags and nobody's name."""
    rng = np.random.default_rng(SEED)
    maker = RegionMaker(joint_shapes(read_shape_model("pelvis_femur")), draw_spines(1, SPINE_SEED))
    region = maker.draw(rng, strength=0.7)
    case = make_case(maker, region, View(_camera(region), False, "table"), rng)
    image = develop(case, rng, Appearance(metal=0.0, text=0.0, collimation=0.0))
    on = case.truth.mask[: len(BONES)].any(0)
    if image[::2, ::2][on].mean() < image[::2, ::2][~on].mean():
        image = -image  # shown as films are: bone bright
    film = DxFilm(
        NAME, "PELVIS", "Simulated^Hips", "simulated hips, front", SOURCE_TO_DETECTOR_MM, SOURCE_TO_HIPS_MM,
        FIELD_MM / SIZE,
    )  # fmt: skip
    return write_dx(folder, film, image)


def _camera(region: PosedRegion) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=SOURCE_TO_DETECTOR_MM,
        source_to_isocentre_mm=SOURCE_TO_HIPS_MM,
        pixel_spacing_mm=(FIELD_MM / SIZE, FIELD_MM / SIZE),
        size=(SIZE, SIZE),
        primary_angle_deg=180.0,
        isocentre_ras_mm=region.hips_ras_mm.mean(axis=0) + [0, 0, 25.0],
    )
