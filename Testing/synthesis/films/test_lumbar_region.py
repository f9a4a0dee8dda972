"""Films of the lumbar region: bones in their place, sides not swapped, truth that fits the camera, hardware on bone."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.anatomy.population import SpinePopulation
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.spine_plan import draw_plan
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, volume_mm3
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.develop import develop
from mri2mesh.synthesis.films.lumbar.case import make_lone_case, make_lumbar_case
from mri2mesh.synthesis.films.lumbar.hardware import KINDS as HARDWARE
from mri2mesh.synthesis.films.lumbar.hardware import lumbar_hardware
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker, LumbarRegion
from mri2mesh.synthesis.films.lumbar.ribs import RIBBED
from mri2mesh.synthesis.films.lumbar.trunks import Trunks, draw_trunks, shapes_of, stand
from mri2mesh.synthesis.films.lumbar.views import KINDS, draw_lumbar_view, lumbar_geometry
from mri2mesh.synthesis.films.views import View


@pytest.fixture(scope="module")
def trunks() -> Trunks:
    return draw_trunks([3], seed=0, healthy=True)


@pytest.fixture(scope="module")
def region(trunks: Trunks) -> LumbarRegion:
    return LumbarMaker(trunks).draw(np.random.default_rng(1))


def view(region: LumbarRegion, primary: float, size: int = 128) -> View:
    geometry = lumbar_geometry(size, 400.0, 1150.0, 1000.0, primary, 0.0, region.middle, np.zeros(2))
    return View(geometry.camera(), False, "ap")


@pytest.fixture(scope="module")
def case(region: LumbarRegion) -> FilmCase:
    return make_lumbar_case(region, view(region, 180.0), np.random.default_rng(0))


def test_vertebrae_stand_on_each_other_above_the_sacrum(region: LumbarRegion):
    parts = trunk_parts()
    heights = [region.vertices[parts.rows[name], 2].mean() for name in BONES]
    assert (np.diff(heights) < -15).all()
    spinous, front = region.anchors[:, 4, 1], region.anchors[:, 3, 1]
    assert (front - spinous > 50).all()


def test_ribs_are_closed_outward_and_on_their_sides(region: LumbarRegion):
    parts = trunk_parts()
    for level in RIBBED:
        for side, sign in (("left", -1), ("right", 1)):
            rows = parts.rows[f"rib {side} {level}"]
            faces = parts.surfaces.faces.numpy()
            own = faces[(faces >= rows.start).all(1) & (faces < rows.stop).all(1)] - rows.start
            rib = Mesh(region.vertices[rows], own)
            assert is_watertight(rib)
            assert 1_500 < volume_mm3(rib) < 40_000
            assert sign * (rib.vertices[:, 0].mean() - region.middle[0]) > 25


@pytest.mark.parametrize("primary", [180.0, 0.0], ids=["AP", "PA"])
def test_left_is_on_the_right_of_a_front_film(region: LumbarRegion, primary: float):
    made = make_lumbar_case(region, view(region, primary), np.random.default_rng(0))
    places = made.camera.project(region.anchors)
    assert (places[:, 1, 0] > places[:, 2, 0] + 5).all()  # left pedicles, right pedicles
    columns = np.arange(64)
    for row in range(len(VERTEBRAE)):
        shown = made.truth.mask[row].any(0)
        if shown.any():
            assert (
                columns[shown].min() * 2 - 4
                < places[row, 2, 0]
                < places[row, 1, 0]
                < columns[shown].max() * 2 + 4
            )


def test_in_a_lateral_film_bodies_are_in_front_of_their_processes(region: LumbarRegion):
    for primary in (90.0, -90.0):
        places = view(region, primary).camera.project(region.anchors)
        way = places[:, 3, 0] - places[:, 4, 0]
        assert (np.abs(way) > 15).all() and len(set(np.sign(way))) == 1


def test_the_front_is_nearer_to_the_source_of_an_ap_film(region: LumbarRegion):
    for primary, sign in ((180.0, 1), (0.0, -1)):
        camera = view(region, primary).camera
        depth = (region.anchors - camera.source_ras_mm) @ camera.axes_ras[2]
        assert (sign * (depth[:, 4] - depth[:, 3]) > 40).all()


def test_masks_depths_and_surfaces_agree(case: FilmCase, region: LumbarRegion):
    assert case.bones == BONES and case.vertices is not None
    parts, camera = trunk_parts(), case.camera.coarser(2)
    for row, name in enumerate(BONES):
        rows, columns = np.nonzero(case.truth.mask[row])
        places = camera.project(case.vertices[parts.rows[name]])
        if len(rows) and (np.abs(places - 32) < 31).all():
            np.testing.assert_allclose(
                [columns.min(), columns.max()], [places[:, 0].min(), places[:, 0].max()], atol=1.6
            )
            np.testing.assert_allclose(
                [rows.min(), rows.max()], [places[:, 1].min(), places[:, 1].max()], atol=1.6
            )
        own = (case.vertices[parts.rows[name]] - camera.source_ras_mm) @ camera.axes_ras[2]
        depth = case.truth.depth[row][:, case.truth.mask[row]]
        assert (depth[0] >= own.min() - 0.1).all() and (depth[1] <= own.max() + 0.1).all()


def test_a_film_is_the_same_after_it_was_stored(case: FilmCase, tmp_path):
    case.save(tmp_path / "film.npz")
    again = FilmCase.load(tmp_path / "film.npz")
    assert again.bones == BONES
    np.testing.assert_array_equal(again.truth.mask, case.truth.mask)
    np.testing.assert_allclose(again.vertices, case.vertices, atol=0.011)
    np.testing.assert_allclose(again.anchors_ras_mm, case.anchors_ras_mm)


def test_a_vertebra_alone_has_nothing_around_it(region: LumbarRegion):
    lone = make_lone_case(region, "L3", view(region, 180.0), np.random.default_rng(0))
    anywhere = np.kron(lone.truth.mask[0], np.ones((2, 2), bool))
    beyond = ~np.kron(np.pad(lone.truth.mask[0], 1)[1:-1, 1:-1], np.ones((2, 2), bool))
    assert lone.cortex[anywhere].max() > 5 and lone.tissue.max() == 0
    assert ((lone.cortex + lone.marrow)[beyond] > 3).mean() < 0.01


@pytest.mark.parametrize("kind", HARDWARE)
def test_hardware_is_finite_and_in_the_picture(case: FilmCase, kind: str):
    shown = [lumbar_hardware(case, np.random.default_rng(seed), kind) for seed in range(6)]
    assert all(np.isfinite(path).all() and path.min() >= 0 for path in shown)
    assert max(path.max() for path in shown) > 0.1


def test_screws_are_in_the_pedicles(case: FilmCase):
    """In an AP film every screw begins within its pedicle's place; without hardware nothing is there."""
    path = lumbar_hardware(case, np.random.default_rng(1), "screws")
    places = case.camera.project(case.anchors_ras_mm.reshape(7, 5, 3)[:, 1:3]).round().astype(int)
    hit = [
        path[max(r - 2, 0) : r + 3, c - 2 : c + 3].max() > 0.3
        for c, r in places.reshape(-1, 2)
        if 2 < r < 125
    ]
    assert sum(hit) >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_view_shows_lumbar_vertebrae(region: LumbarRegion, kind: str):
    for seed in range(3):
        drawn = draw_lumbar_view(region, np.random.default_rng(seed), 64, kind)
        places = drawn.camera.project(region.anchors[2:, 0])
        assert ((places > 0) & (places < 63)).all(1).sum() >= 2


def test_every_development_is_another_film(case: FilmCase):
    first, second = (develop(case, np.random.default_rng(seed), None, lumbar_hardware) for seed in (1, 2))
    assert np.isfinite(first).all() and np.abs(first - second).mean() > 0.01


def test_standing_adds_lordosis_and_keeps_the_spacing():
    plan = draw_plan(SpinePopulation.load(), np.random.default_rng(0))
    before, spacing, sacrum = plan.posture.lordosis, plan.posture.spacings.copy(), plan.sacrum_angles[0]
    stand(plan, 10.0)
    assert 5 < plan.posture.lordosis - before < 10
    assert plan.sacrum_angles[0] == pytest.approx(sacrum - 10.0)
    np.testing.assert_allclose(plan.posture.spacings, spacing, rtol=1e-6)


def test_nobody_left_out_is_in_the_shapes():
    family = VertebraShapes.load()
    kept, alone = shapes_of(["P002"], but=True), shapes_of(["P002"])
    mine = np.array([name.startswith("P002_") for name in family.names])
    assert not kept.frequency[mine].any() and (kept.frequency[~mine] == family.frequency[~mine]).all()
    assert not alone.frequency[~mine].any()
    assert family.frequency.all()  # the shared family itself is as it was
    with pytest.raises(InputError, match="no vertebra of nobody"):
        shapes_of(["nobody"])
    with pytest.raises(InputError, match="nobody is left"):
        shapes_of(["VHM"])  # has lumbar vertebrae alone
