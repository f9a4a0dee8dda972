"""What a network sees of the bone that is fitted comes with the result: where it sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.ddx.bone_maps import bone_maps_in
from mri2mesh.engines.ddx.placing import place_bones
from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.samples import HIPS_FRONT

CACHE = ModelCache()
PICKED = {"femoral_head_centre_right": (88.0, 175.0), "lesser_trochanter_right": (94.0, 214.0)}
"""Column and row in the sample film."""


@pytest.fixture(scope="module")
def film() -> Radiograph:
    return read_radiograph(HIPS_FRONT)


def test_of_a_bone_with_landmarks_there_is_a_mask_that_holds_the_head_and_the_neck(film: Radiograph):
    maps = bone_maps_in([film], read_shape_model("femur_right"), [PICKED], [], CACHE)
    assert maps is not None
    assert (maps.names, maps.image) == (("femur_right",), 0)
    rows, columns = np.indices(maps.camera.size)
    place = film.camera.project(maps.camera.on_detector(np.stack([columns, rows], -1)))
    head = np.array(PICKED["femoral_head_centre_right"])
    for mark in (head, (head + PICKED["lesser_trochanter_right"]) / 2):
        assert maps.presence[0].ravel()[np.linalg.norm(place - mark, axis=-1).argmin()] > 0.5


def test_what_was_placed_already_is_not_looked_at_again(film: Radiograph):
    placed = place_bones(film, cache=CACHE)
    assert placed is not None
    maps = bone_maps_in([film], read_shape_model("femur_left"), [], [placed], CACHE)
    assert maps is not None
    assert np.shares_memory(maps.film, placed.seen.film.film)


def test_the_first_radiograph_that_shows_the_bone_counts(film: Radiograph):
    side = replace(film, geometry=film.geometry.with_values("user", primary_angle_deg=90.0))
    maps = bone_maps_in([side, film], read_shape_model("femur_right"), [PICKED, PICKED], [], CACHE)
    assert maps is not None
    assert maps.image == 1


def test_of_other_bones_and_of_noise_there_is_none(film: Radiograph):
    assert bone_maps_in([film], read_shape_model("L3"), [], [], CACHE) is None
    noise = np.random.default_rng(0).normal(size=film.pixels.shape).astype(np.float32)
    assert bone_maps_in([replace(film, pixels=noise)], read_shape_model("femur_left"), [], [], CACHE) is None
