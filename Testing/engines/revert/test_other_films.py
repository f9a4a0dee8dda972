"""The engine with its shipped weights on films of a hip, of a chest and of nothing: refused, or marked with why."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.engines.revert.engine import reconstruct
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.develop import attenuation_image
from mri2mesh.synthesis.films.lumbar.chest import make_chest_case, middle_of
from mri2mesh.synthesis.films.lumbar.hips import hip_maker, make_hip_case
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker
from mri2mesh.synthesis.films.lumbar.trunks import Trunks, draw_trunks
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry
from mri2mesh.synthesis.films.views import View


@pytest.fixture(scope="module")
def cache() -> ModelCache:
    return ModelCache()


@pytest.fixture(scope="module")
def trunk() -> Trunks:
    return draw_trunks([0], 5)


def geometry_at(centre: np.ndarray, field_mm: float, primary_deg: float = 180.0) -> XrayGeometry:
    return lumbar_geometry(192, field_mm, 1150.0, 1000.0, primary_deg, 0.0, centre, np.zeros(2))


def film_of(case: FilmCase, geometry: XrayGeometry) -> Radiograph:
    return Radiograph(attenuation_image(case, np.random.default_rng(0)), geometry, "logarithmic")


@pytest.fixture(scope="module")
def chest(trunk: Trunks) -> Radiograph:
    """The thoracic spine with its ribs, down to T10."""
    region = LumbarMaker(trunk).draw(np.random.default_rng(1))
    up = middle_of(region, "T9") - middle_of(region, "T12")
    geometry = geometry_at(middle_of(region, "T9") + 90 * up / np.linalg.norm(up), 260.0)
    case = make_chest_case(region, View(geometry.camera(), False, "chest"), np.random.default_rng(0))
    return film_of(case, geometry)


@pytest.fixture(scope="module")
def hip(trunk: Trunks) -> Radiograph:
    """One hip joint, no vertebra."""
    maker = hip_maker(trunk)
    region = maker.draw(np.random.default_rng(2))
    geometry = geometry_at(region.hips_ras_mm[0] - [0, 0, 20], 200.0)
    case = make_hip_case(maker, region, View(geometry.camera(), False, "hip"), np.random.default_rng(0))
    return film_of(case, geometry)


@pytest.mark.parametrize("name", ["chest", "hip"])
def test_a_film_without_a_lumbar_vertebra_is_refused_in_one_line(
    name: str, request: pytest.FixtureRequest, cache: ModelCache
):
    with pytest.raises(ReconstructionRefused, match="no lumbar vertebra is seen in this radiograph"):
        reconstruct([request.getfixturevalue(name)], cache=cache)


@pytest.mark.parametrize("name", ["chest", "hip"])
def test_a_click_on_such_a_film_is_refused_or_marked(
    name: str, request: pytest.FixtureRequest, cache: ModelCache
):
    """Somebody points at a thoracic vertebra, or at a hip, and says that it is L3."""
    try:
        made = reconstruct([request.getfixturevalue(name)], landmarks=[{"L3": (96.0, 96.0)}], cache=cache)
    except (InputError, ReconstructionRefused) as refused:
        assert "\n" not in str(refused)
        return
    assert not made.passed


def test_noise_is_refused_or_marked_for_more_than_its_names(cache: ModelCache):
    noise = np.random.default_rng(0).normal(0, 1, (192, 192)).astype(np.float32)
    try:
        made = reconstruct([Radiograph(noise, geometry_at(np.zeros(3), 300.0), "logarithmic")], cache=cache)
    except ReconstructionRefused:
        return
    assert {check.name for check in made.checks if not check.passed} > {"level count"}
