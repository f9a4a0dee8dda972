"""Where bones are in a film, for other engines: as the engine has them, or nothing where it does not apply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.ddx.placing import PlacedBones, place_bones
from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.samples import HIPS_FRONT

CACHE = ModelCache()


@pytest.fixture(scope="module")
def film() -> Radiograph:
    return read_radiograph(HIPS_FRONT)


@pytest.fixture(scope="module")
def placed(film: Radiograph) -> PlacedBones:
    found = place_bones(film, cache=CACHE)
    assert found is not None
    return found


def test_bones_lie_in_the_pixels_that_show_them(placed: PlacedBones):
    model = read_shape_model("pelvis_femur")
    assert len(placed.vertices) == len(model.mean)
    for number, name in enumerate(BONES[:3]):
        column, row = placed.camera.project(placed.vertices[model.part_vertices(name)]).T
        rows, columns = placed.presence[number].shape
        inside = (column >= 0) & (column < columns - 1) & (row >= 0) & (row < rows - 1)
        shown = placed.presence[number][np.rint(row[inside]).astype(int), np.rint(column[inside]).astype(int)]
        assert np.mean(shown > 0.5) > 0.75


def test_hips_are_near_the_isocentre_s_depth(film: Radiograph, placed: PlacedBones):
    model = read_shape_model("pelvis_femur")
    sides = [model.landmark(f"acetabulum_centre_{side}", placed.vertices) for side in ("left", "right")]
    depth = (np.mean(sides, axis=0) - film.camera.source_ras_mm) @ film.camera.axes_ras[2]
    assert abs(depth - film.geometry.source_to_isocentre_mm.value) < 50


def test_nothing_is_placed_where_the_network_does_not_apply(film: Radiograph):
    side_view = replace(film, geometry=film.geometry.with_values("user", primary_angle_deg=90.0))
    assert place_bones(side_view, cache=CACHE) is None
    spacing = film.geometry.pixel_spacing_mm.value
    without_scale = replace(film, geometry=film.geometry.with_values("default", pixel_spacing_mm=spacing))
    assert place_bones(without_scale, cache=CACHE) is None
    noise = np.random.default_rng(0).normal(size=film.pixels.shape).astype(np.float32)
    assert place_bones(replace(film, pixels=noise), cache=CACHE) is None
