"""Films of hips, of chests and of nothing: what the network of levels learns not to name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.engines.revert.training import elsewhere, films
from mri2mesh.engines.revert.training.elsewhere import elsewhere_ring, without_bone
from mri2mesh.engines.revert.training.hanging import hung
from mri2mesh.engines.revert.training.maps_batches import film_batches, film_example
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.learning.ring import FileRing
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.lumbar.chest import draw_chest_view, make_chest_case, middle_of
from mri2mesh.synthesis.films.lumbar.hips import hip_maker, make_hip_case
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker, LumbarRegion
from mri2mesh.synthesis.films.lumbar.trunks import Trunks, draw_trunks
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.views import View


@pytest.fixture(scope="module")
def trunk() -> Trunks:
    return draw_trunks([0], 0)


@pytest.fixture(scope="module")
def region(trunk: Trunks) -> LumbarRegion:
    return LumbarMaker(trunk).draw(np.random.default_rng(1))


@pytest.fixture(scope="module")
def hips(trunk: Trunks) -> tuple[RegionMaker, PosedRegion]:
    maker = hip_maker(trunk)
    return maker, maker.draw(np.random.default_rng(2))


def front_view(centre: np.ndarray, field_mm: float) -> View:
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1000.0, source_to_isocentre_mm=800.0, pixel_spacing_mm=(field_mm / 96,) * 2,
        size=(96, 96), primary_angle_deg=180.0, isocentre_ras_mm=tuple(centre),
    )  # fmt: skip
    return View(camera, False, "front")


def test_a_pelvis_has_the_truth_of_its_lower_spine_and_a_hip_has_none(hips):
    maker, posed = hips
    middle = posed.hips_ras_mm.mean(axis=0)
    whole = make_hip_case(maker, posed, front_view(middle + [0, 0, 60], 480.0), np.random.default_rng(0))
    shown = {name for name, mask in zip(BONES, whole.truth.mask, strict=True) if mask.any()}
    assert {"L5", "L4", "sacrum"} <= shown
    assert not shown & {"T11", "T12", "L1"}
    rows = {
        name: np.nonzero(whole.truth.mask[BONES.index(name)])[0].mean() for name in ("L4", "L5", "sacrum")
    }
    assert rows["L4"] < rows["L5"] < rows["sacrum"]
    one = make_hip_case(
        maker, posed, front_view(posed.hips_ras_mm[0] - [0, 0, 40], 130.0), np.random.default_rng(0)
    )
    assert whole.cortex.max() > 0
    assert one.cortex.max() > 0  # the femur casts its shadow, and belongs to nothing
    assert not one.truth.mask[: len(VERTEBRAE)].any()


def test_vertebrae_on_hips_are_where_their_places_say(hips):
    maker, posed = hips
    case = make_hip_case(
        maker, posed, front_view(posed.hips_ras_mm.mean(axis=0) + [0, 0, 90], 400.0), np.random.default_rng(0)
    )
    for name in ("L5", "sacrum"):
        bone = BONES.index(name)
        mask, places = case.truth.mask[bone], case.truth.canonical[bone]
        right = places[0, 0][mask]
        columns = np.nonzero(mask)[1]
        # From the front the patient's right, which is +x, lies on the left of the film.
        assert np.corrcoef(right, columns)[0, 1] < -0.9


def test_a_chest_has_vertebrae_and_ribs_that_are_none_of_the_lumbar_ones(region: LumbarRegion):
    up = middle_of(region, "T9") - middle_of(region, "T12")
    high = middle_of(region, "T9") + 90 * up / np.linalg.norm(up)
    view = front_view(high, 200.0)
    case = make_chest_case(region, view, np.random.default_rng(0))
    assert not case.truth.mask.any()
    middle = case.cortex[:, 40:56].astype(float)
    beside = case.cortex[:, 10:30].astype(float)
    assert (middle.sum(axis=1) > 0).mean() > 0.9  # the spine runs through all of it
    assert (beside > 0).mean() > 0.05  # and ribs are beside it


def test_what_a_chest_film_shows_of_t11_is_named(region: LumbarRegion):
    case = make_chest_case(region, front_view(middle_of(region, "T11"), 250.0), np.random.default_rng(0))
    assert case.truth.mask[BONES.index("T11")].sum() > 20
    rows = trunk_parts().rows["T11"]
    place = case.camera.coarser(2).project(region.vertices[rows].mean(axis=0))
    found = np.argwhere(case.truth.mask[BONES.index("T11")]).mean(axis=0)[::-1]
    assert np.linalg.norm(place - found) < 5


def test_views_of_the_chest_are_about_the_spine_above_t10(region: LumbarRegion):
    rng = np.random.default_rng(5)
    for _ in range(20):
        camera = draw_chest_view(region, rng, 64).camera
        middle = camera.project(middle_of(region, "T10"))
        assert middle[1] > 0.4 * camera.size[0]  # low in the picture, or below it


def test_a_picture_without_bone_says_nothing_whatever_it_is_told(region: LumbarRegion):
    case = make_chest_case(region, front_view(middle_of(region, "T11"), 250.0), np.random.default_rng(0))
    hinted = 0
    for seed in range(12):
        example = without_bone(hung(case), np.random.default_rng(seed))
        assert not example.truth.mask.any()
        assert example.film.shape == case.camera.size
        assert np.isfinite(example.film).all()
        hinted += bool(example.channels[11:].any())
    assert 0 < hinted < 12


def test_films_of_elsewhere_are_never_hinted_and_take_their_share_of_batches(hips, region: LumbarRegion):
    maker, posed = hips
    case = make_hip_case(
        maker, posed, front_view(posed.hips_ras_mm.mean(axis=0), 300.0), np.random.default_rng(0)
    )
    example = film_example(hung(case), np.random.default_rng(0), hinted=1.0)
    assert not example.channels[11:].any()
    drawn = []

    def draw(kind: str, source: FilmCase):
        def one(rng: np.random.Generator) -> FilmCase:
            drawn.append(kind)
            return source

        return one

    lumbar = make_chest_case(region, front_view(region.middle, 300.0), np.random.default_rng(0))
    batches = film_batches(draw("lumbar", lumbar), 4, 0, 64, draw("hips", case))
    for _ in range(10):
        next(batches)
    assert 4 <= drawn.count("hips") <= 18
    drawn.clear()
    next(film_batches(draw("lumbar", lumbar), 4, 0, 64))
    assert drawn == ["lumbar"] * 4


def test_the_training_command_makes_them_beside_its_films(tmp_path: Path, trunk: Trunks, monkeypatch):
    monkeypatch.setattr(films, "FILM_PIXELS", 64)
    monkeypatch.setattr(films, "draw_trunks", lambda *_: trunk)
    monkeypatch.setattr(elsewhere, "_HIPS_SHARE", 0.0)  # chests alone are quicker made
    ring = FileRing(tmp_path, 12)
    films.fill_with_films(ring, 0, 0, most=3)
    beside = elsewhere_ring(ring)
    assert beside.folder.parent == tmp_path
    assert beside.capacity == 2
    assert beside.made() >= 1
    case = beside.draw(FilmCase.load, np.random.default_rng(0), least=1)
    assert case.kind == "chest"
    assert case.truth.mask.shape[0] == len(BONES)
