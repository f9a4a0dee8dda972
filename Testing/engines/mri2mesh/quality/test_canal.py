"""The canal runs behind the body and in front of the lamina; the check measures how far it does not."""

import numpy as np
import pytest

from engines.mri2mesh.quality.wrong_surfaces import arches_in_front
from mri2mesh.anatomy.regions import Region, is_body
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.quality.canal import canal_checks, canal_misfit
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check, ReconstructedStructure

VERTEBRA = template("vertebra")
STEP_MM = 2.0


def middle_of_the_canal() -> np.ndarray:
    """Half way between the back of the body and the front of the lamina."""
    regions = np.asarray(VERTEBRA.regions)
    wall = VERTEBRA.vertices[is_body(regions)][:, 1].min()
    lamina = VERTEBRA.vertices[regions == Region.LAMINA][:, 1].max()
    return np.array([0.0, (wall + lamina) / 2, 0.0])


def seen(centre: np.ndarray, length_mm: float = 80.0, probability: float = 0.9) -> Evidence:
    """A canal straight up, 12 mm wide, about a point."""
    matrix = np.diag([STEP_MM, STEP_MM, STEP_MM, 1.0])
    matrix[:3, 3] = -80
    k, j, i = np.meshgrid(*(np.arange(81),) * 3, indexing="ij")
    ras = np.stack([i, j, k], -1) * STEP_MM - 80
    canal = (np.hypot(*(ras - centre)[..., :2].transpose(3, 0, 1, 2)) < 6) & (
        np.abs(ras[..., 2]) < length_mm / 2
    )
    semantic = np.zeros((len(Semantic), *canal.shape), np.float32)
    semantic[Semantic.CANAL] = probability * canal
    return Evidence(semantic, np.zeros((3, *canal.shape), np.float32), np.ones(canal.shape, bool), matrix)


def item(mesh: Mesh, name: str = "L3") -> ReconstructedStructure:
    ones = np.ones(len(mesh.vertices), np.float32)
    return ReconstructedStructure(STRUCTURES[name], mesh, ones, ones)


def check(evidence: Evidence, mesh: Mesh = VERTEBRA) -> Check:
    (found,) = canal_checks([item(mesh)], evidence)
    return found


def test_a_canal_between_body_and_lamina_passes():
    found = check(seen(middle_of_the_canal()))
    assert found.passed
    assert (found.name, found.structure, found.value, found.threshold) == (
        "canal behind the body",
        "L3",
        0.0,
        4.0,
    )
    assert found.detail == "the spinal canal runs between body and lamina"


def gap() -> float:
    """mm from the middle of the canal to the wall or the lamina."""
    regions = np.asarray(VERTEBRA.regions)
    return float(middle_of_the_canal()[1] - VERTEBRA.vertices[regions == Region.LAMINA][:, 1].max())


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(("outside_mm", "passes"), [(2.5, True), (5.5, False)])
def test_outside_the_gap_it_fails_from_4_mm_on(way, outside_mm, passes):
    found = check(seen(middle_of_the_canal() + [0, way * (gap() + outside_mm), 0]))
    assert found.passed is passes
    assert abs(found.value - outside_mm) < 1.0
    if not passes:
        assert f"runs {found.value:.0f} mm outside the gap" in found.detail


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(("aside_mm", "passes"), [(8.0, True), (12.0, False)])
def test_to_the_side_it_fails_from_10_mm_on(way, aside_mm, passes):
    found = check(seen(middle_of_the_canal() + [way * aside_mm, 0, 0]))
    assert found.passed is passes
    if not passes:
        assert f"{aside_mm:.0f} mm to the side" in found.detail


def test_arches_in_front_of_the_body_fail():
    found = check(seen(middle_of_the_canal()), arches_in_front(VERTEBRA))
    assert not found.passed
    assert found.value > 20


def test_what_lies_far_above_below_or_away_is_not_this_level_s_canal():
    centre = middle_of_the_canal()
    here = np.stack([np.zeros(30), np.full(30, centre[1]), np.linspace(-7, 7, 30)], 1)
    elsewhere = np.array(
        [[0, 60.0, 0.0], [40.0, centre[1], 30.0], [0, 0, 60.0], [0, 5.0, 8.5], [0, 5.0, -8.5]]
    )
    found = canal_misfit(VERTEBRA, np.concatenate([here, np.repeat(elsewhere, 30, axis=0)]))
    assert np.allclose(found, 0.0, atol=1e-4)


def test_a_level_with_hardly_any_canal_is_not_judged_but_its_neighbour_is():
    centre = middle_of_the_canal()
    assert canal_misfit(VERTEBRA, np.repeat(centre[None], 7, axis=0)) is None
    assert canal_misfit(VERTEBRA, np.repeat(centre[None], 8, axis=0)) is not None
    far = VERTEBRA.with_vertices(VERTEBRA.vertices + [0, 0, 60.0])
    found = canal_checks([item(far, "L2"), item(VERTEBRA)], seen(centre, length_mm=40.0))
    assert [one.structure for one in found] == ["L3"]


@pytest.mark.parametrize("probability", [0.4, 0.0])
def test_where_no_canal_is_seen_at_all_the_result_fails_as_a_whole(probability):
    found = check(seen(middle_of_the_canal(), probability=probability))
    assert found.passed is False
    assert found.structure is None
    assert np.isnan(found.value)
    assert found.detail == "no spinal canal is seen behind any body: which way the vertebrae face is not sure"


def test_canal_seen_only_6_mm_above_the_middle_is_this_level_s():
    high = middle_of_the_canal() + [0, 0, 6.0]
    assert canal_misfit(VERTEBRA, np.repeat(high[None], 8, axis=0)) is not None


def test_discs_have_no_canal_check():
    assert canal_checks([item(template("disc"), "L3-L4")], seen(middle_of_the_canal())) == []
