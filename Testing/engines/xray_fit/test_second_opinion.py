"""The network's mask of a bone is compared with the shadow of the fitted surface, where the film is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.surfaces import shadows
from mri2mesh.engines.xray_fit.second_opinion import differing
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.reconstruction import PixelMaps
from mri2mesh.samples import HIPS_FRONT


@pytest.fixture(scope="module")
def femur() -> ShapeModel:
    return read_shape_model("femur_left")


@pytest.fixture(scope="module")
def camera() -> XrayCamera:
    return read_radiograph(HIPS_FRONT).camera.coarser(4)


def seen_as(femur: ShapeModel, camera: XrayCamera, vertices: np.ndarray) -> PixelMaps:
    mask = shadows(femur, vertices, camera).astype(np.float32)
    return PixelMaps(femur.part_names, mask[0], mask, np.zeros((1, 2, *camera.size), np.float32), camera)


def test_a_bone_that_is_seen_where_it_was_fitted_is_not_worth_a_word(femur, camera):
    here = femur.mean - femur.mean.mean(0)
    assert differing(seen_as(femur, camera, here), femur, here) == []


def test_a_bone_that_is_seen_30_mm_beside_its_place_is_named_with_its_side(femur, camera):
    here = femur.mean - femur.mean.mean(0)
    [sentence] = differing(seen_as(femur, camera, here + [30, 0, 0]), femur, here)
    assert "femur (left)" in sentence
    assert "image 1" in sentence


def test_what_lies_outside_the_film_is_not_compared(femur, camera):
    here = femur.mean - femur.mean.mean(0)
    maps = seen_as(femur, camera, here)
    lower = np.indices(camera.size)[0] > camera.size[0] // 2
    wrong = replace(maps, presence=maps.presence * ~lower)
    assert differing(wrong, femur, here)
    assert differing(replace(wrong, shown=~lower), femur, here) == []
