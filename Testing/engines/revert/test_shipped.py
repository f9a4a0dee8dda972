"""The engine with its shipped weights on the sample film, whose spine is known, and on films of something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.engines.revert.engine import reconstruct
from mri2mesh.engines.revert.targets import LEVELS
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.geometry.checks import is_watertight
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.reconstruction import Reconstruction
from mri2mesh.samples import HIPS_FRONT, LUMBAR_FRONT, PELVIS_FRONT, PELVIS_OBLIQUE
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker, LumbarRegion
from mri2mesh.synthesis.films.lumbar.sample import CENTRE_MM, SEED, SPINE_SEED
from mri2mesh.synthesis.films.lumbar.trunks import draw_trunks


@pytest.fixture(scope="module")
def cache() -> ModelCache:
    return ModelCache()


@pytest.fixture(scope="module")
def film() -> Radiograph:
    return read_radiograph(LUMBAR_FRONT)


@pytest.fixture(scope="module")
def truth() -> LumbarRegion:
    """Whose spine the sample shows."""
    return LumbarMaker(draw_trunks([0], SPINE_SEED, healthy=True)).draw(np.random.default_rng(SEED))


@pytest.fixture(scope="module")
def found(film: Radiograph, cache: ModelCache) -> Reconstruction:
    return reconstruct([film], spine_to_detector_mm=150.0, cache=cache)


def test_the_sample_s_vertebrae_are_found_and_named_without_a_click(found: Reconstruction):
    assert [item.name for item in found.structures] == list(LEVELS)
    assert all(is_watertight(item.mesh) for item in found.structures)
    assert {check.name for check in found.checks if not check.passed} <= {"level count"}


def test_they_lie_where_they_are(found: Reconstruction, film: Radiograph, truth: LumbarRegion):
    beam, parts = film.camera.axes_ras[2], trunk_parts()
    for name in LEVELS:
        true = truth.vertices[parts.rows[name]].astype(np.float64) - truth.middle - CENTRE_MM
        vertices = found[name].mesh.vertices.astype(np.float64)
        apart = vertices.mean(axis=0) - true.mean(axis=0)
        along = float(apart @ beam)
        assert np.linalg.norm(apart - along * beam) < 4.0  # across the beam
        surface = Mesh(true.astype(np.float32), parts.vertebra_faces)
        assert point_to_surface(vertices - along * beam, surface).mean() < 3.0
        assert abs(along) < 3 * found[name].mesh.point_data["uncertainty_along_beam_mm"].mean()


def test_one_that_is_clicked_is_made_alone(film: Radiograph, truth: LumbarRegion, cache: ModelCache):
    place = truth.anchors[VERTEBRAE.index("L3"), 0] - truth.middle - CENTRE_MM
    column, row = film.camera.project(place)
    picked = reconstruct([film], landmarks=[{"L3": (float(column) + 2, float(row) - 2)}], cache=cache)
    assert [item.name for item in picked.structures] == ["L3"]
    assert picked.levels is not None and picked.levels.anchor == "given"


def test_a_click_beside_the_spine_is_one_line(film: Radiograph, cache: ModelCache):
    with pytest.raises(InputError, match="click on the middle of its body"):
        reconstruct([film], landmarks=[{"L3": (40.0, 150.0)}], cache=cache)


@pytest.mark.parametrize("other_film", [PELVIS_FRONT, PELVIS_OBLIQUE, HIPS_FRONT])
def test_a_film_of_something_else_is_refused_or_marked(cache: ModelCache, other_film: Path):
    try:
        other = reconstruct([read_radiograph(other_film)], cache=cache)
    except ReconstructionRefused:
        return
    assert not other.passed
