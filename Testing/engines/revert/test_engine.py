"""The engine with networks that see perfectly: vertebrae come back where they are, under their names, or the reader
learns why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.revert.oracle import BySide, PerfectCrop, PerfectFilm, perfect_networks
from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.engines.revert.engine import reconstruct
from mri2mesh.engines.revert.networks.stored import load_networks
from mri2mesh.engines.revert.picking import parse_level
from mri2mesh.engines.revert.targets import LEVELS, targets
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.geometry.checks import is_watertight
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry
from mri2mesh.reconstruction import Reconstruction
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker, LumbarRegion
from mri2mesh.synthesis.films.lumbar.trunks import draw_trunks
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry

MODELS: dict[str, Any] = {}
SIZE = 128
Cache = Callable[..., Any]


@pytest.fixture(scope="module")
def region() -> LumbarRegion:
    rng = np.random.default_rng(0)
    return LumbarMaker(draw_trunks([0], 0, healthy=True)).draw(rng)


@pytest.fixture(scope="module")
def geometry(region: LumbarRegion) -> XrayGeometry:
    return view(region, 180.0)


def view(region: LumbarRegion, primary: float) -> XrayGeometry:
    return lumbar_geometry(SIZE, 380.0, 1150.0, 1000.0, primary, 4.0, region.middle, np.zeros(2))


def film(geometry: XrayGeometry) -> Radiograph:
    """Its pixels do not matter to networks that know the truth."""
    pixels = np.random.default_rng(1).random((SIZE, SIZE)).astype(np.float32)
    return Radiograph(pixels, geometry, "logarithmic")


def seeing(region: LumbarRegion, geometry: XrayGeometry, **how: Any) -> Cache:
    """A cache that hands out perfect networks and, made once, the shape models."""
    source = geometry.camera().source_ras_mm
    networks = perfect_networks(PerfectFilm(region, source, **how), PerfectCrop(region, source))

    def cache(make: Callable[..., Any], *arguments: Any) -> Any:
        if make is load_networks:
            return networks
        if not MODELS:
            MODELS.update(targets())
        return MODELS

    return cache


@pytest.fixture(scope="module")
def result(region: LumbarRegion, geometry: XrayGeometry) -> Reconstruction:
    return reconstruct([film(geometry)], spine_to_detector_mm=150.0, cache=seeing(region, geometry))


def apart(found: Reconstruction, region: LumbarRegion, name: str, true: str | None = None) -> float:
    """Mean distance of a structure's vertices to a true vertebra, mm."""
    parts = trunk_parts()
    surface = Mesh(region.vertices[parts.rows[true or name]], parts.vertebra_faces)
    return float(point_to_surface(found[name].mesh.vertices.astype(np.float64), surface).mean())


def test_perfect_maps_give_every_vertebra_back_where_it_is(result: Reconstruction, region: LumbarRegion):
    assert [item.name for item in result.structures] == list(LEVELS)
    for name in LEVELS:
        # Samples count as certain as those of a trained network, and vertebrae are drawn to one depth.
        assert apart(result, region, name) < 1.75
        assert is_watertight(result[name].mesh)
        assert result[name].mesh.regions is not None
    failed = {check.name for check in result.checks if not check.passed}
    assert failed <= {"neighbours apart", "level count"}  # facets of neighbours touch
    assert result.levels is not None and result.levels.probabilities["L5"] > 0.9


def test_even_with_the_sacrum_in_view_names_are_a_guess(result: Reconstruction):
    # Real films were counted wrongly from it.
    assert not result.levels_certain
    assert not result.passed


@pytest.mark.parametrize("primary", [90.0, -90.0, 215.0 - 360.0])
def test_views_from_the_side_and_between_give_them_back_too(region: LumbarRegion, primary: float):
    own = view(region, primary)
    found = reconstruct([film(own)], vertebrae=("L3",), spine_to_detector_mm=150.0, cache=seeing(region, own))
    assert [item.name for item in found.structures] == ["L3"]
    assert apart(found, region, "L3") < 1.0


def test_a_film_that_was_stored_mirrored_gives_the_same(region: LumbarRegion, geometry: XrayGeometry):
    mirrored = geometry.with_values("user", seen_from="detector")
    found = reconstruct(
        [film(mirrored)], vertebrae=("L4",), spine_to_detector_mm=150.0, cache=seeing(region, mirrored)
    )
    assert apart(found, region, "L4") < 1.0


def test_a_vertebra_that_is_missing_between_two_fails_though_one_was_named(
    region: LumbarRegion, geometry: XrayGeometry
):
    cache = seeing(region, geometry, shown=("L2", "L3", "L5", "sacrum"))
    column, row = geometry.camera().project(region.anchors[VERTEBRAE.index("L3"), 0])
    named = f"L3@{column:.1f},{row:.1f}"
    found = reconstruct([film(geometry)], level=named, spine_to_detector_mm=150.0, cache=cache)
    assert [item.name for item in found.structures] == ["L2", "L3", "L5"]
    row_of_bodies = [check for check in found.checks if check.name == "vertebrae follow one another"]
    assert [check.passed for check in row_of_bodies] == [False]
    some = reconstruct(
        [film(geometry)], level=named, vertebrae=("L3", "L5"), spine_to_detector_mm=150.0, cache=cache
    )
    assert all(check.name != "vertebrae follow one another" for check in some.checks)  # asked for so


def test_without_sacrum_the_names_are_a_guess_until_one_is_given(
    region: LumbarRegion, geometry: XrayGeometry
):
    cache = seeing(region, geometry, shown=VERTEBRAE, moved=1)  # everything is called one level too low
    found = reconstruct([film(geometry)], vertebrae=("L3",), spine_to_detector_mm=150.0, cache=cache)
    assert not found.levels_certain
    assert not found.passed
    assert found.levels is not None and "--level" in found.levels.advice
    assert sum(found.levels.probabilities.values()) == pytest.approx(1.0)
    column, row = geometry.camera().project(region.anchors[VERTEBRAE.index("L3"), 0])
    named = reconstruct(
        [film(geometry)], level=f"L3@{column:.1f},{row:.1f}", spine_to_detector_mm=150.0, cache=cache
    )
    assert named.levels is not None and named.levels.anchor == "given"
    for name in ("L2", "L3", "L4"):
        assert apart(named, region, name) < 1.5


def test_clicked_vertebrae_alone_are_made(region: LumbarRegion, geometry: XrayGeometry):
    places = {
        name: tuple(geometry.camera().project(region.anchors[VERTEBRAE.index(name), 0]) + 2.0)
        for name in ("L4", "L2")
    }
    found = reconstruct(
        [film(geometry)], landmarks=[places], spine_to_detector_mm=150.0, cache=seeing(region, geometry)
    )
    assert [item.name for item in found.structures] == ["L2", "L4"]
    assert max(apart(found, region, name) for name in ("L2", "L4")) < 1.0


def test_a_click_beside_the_spine_is_one_line(region: LumbarRegion, geometry: XrayGeometry):
    with pytest.raises(InputError, match="no vertebra is seen at the place given for L3"):
        reconstruct([film(geometry)], level="L3@5,64", cache=seeing(region, geometry))


def test_a_vertebra_picked_beside_the_spine_is_one_line(region: LumbarRegion, geometry: XrayGeometry):
    with pytest.raises(InputError, match="no vertebra is seen where L3 was picked"):
        reconstruct([film(geometry)], landmarks=[{"L3": (8.0, 64.0)}], cache=seeing(region, geometry))


def test_a_level_that_is_not_there_is_refused(region: LumbarRegion, geometry: XrayGeometry):
    cache = seeing(region, geometry, shown=("L4", "L5", "sacrum"))
    with pytest.raises(ReconstructionRefused, match="L1 is not seen in this radiograph, which shows L4, L5"):
        reconstruct([film(geometry)], vertebrae=("L1",), cache=cache)


def test_a_film_without_a_spine_is_refused(region: LumbarRegion, geometry: XrayGeometry):
    with pytest.raises(ReconstructionRefused, match="no lumbar vertebra is seen"):
        reconstruct([film(geometry)], cache=seeing(region, geometry, shown=()))


def test_the_shift_along_the_beam_is_stated_apart(
    result: Reconstruction, region: LumbarRegion, geometry: XrayGeometry
):
    data = result["L3"].mesh.point_data
    assert (data["uncertainty_along_beam_mm"] >= 5.0).all()
    assert (data["uncertainty_across_mm"] < data["uncertainty_along_beam_mm"]).all()
    unsure = reconstruct([film(geometry)], vertebrae=("L3",), cache=seeing(region, geometry))
    wide = unsure["L3"].mesh.point_data["uncertainty_along_beam_mm"]
    assert wide.mean() > data["uncertainty_along_beam_mm"].mean() + 10


def test_a_picture_without_a_scale_says_so(region: LumbarRegion, geometry: XrayGeometry):
    from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry

    unknown = replace(film(geometry), geometry=assumed_geometry((SIZE, SIZE), "table"))
    cache = seeing(region, unknown.geometry)
    try:
        found = reconstruct([unknown], vertebrae=("L3",), cache=cache)
    except ReconstructionRefused:
        pytest.skip("the spine is not in this made-up field")
    assert any("scale unknown" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "L3"}, "is not a level in the image"),
        ({"level": "L3@a,b"}, "is not a level in the image"),
        ({"level": "S1@60,60"}, "knows T11 to L5, not 'S1'"),
        ({"level": "L3@600,60"}, "lies outside the radiograph of 128 x 128 pixels"),
        ({"level": "L3@60,60", "landmarks": [{"L3": (60.0, 60.0)}]}, "give one of them"),
        ({"vertebrae": ("L7",)}, "makes L1 to L5, not 'L7'"),
        ({"spine_to_detector_mm": 800.0}, "--spine-to-detector 800: the source is only 1150 mm"),
    ],
)
def test_wrong_requests_are_one_line(
    region: LumbarRegion, geometry: XrayGeometry, options: dict[str, Any], message: str
):
    with pytest.raises(InputError, match=message):
        reconstruct([film(geometry)], cache=seeing(region, geometry), **options)


def test_more_films_than_two_are_one_line(geometry: XrayGeometry):
    with pytest.raises(InputError, match="takes one radiograph of the lumbar spine, or two"):
        reconstruct([film(geometry)] * 3)


def two_views(region: LumbarRegion, geometry: XrayGeometry, second: XrayGeometry) -> Cache:
    """Networks that see perfectly in both."""
    views = [geometry.camera(), second.camera()]
    networks = perfect_networks(
        BySide([PerfectFilm(region, one.source_ras_mm) for one in views], views),
        BySide([PerfectCrop(region, one.source_ras_mm) for one in views], views),
    )
    return lambda make, *_: (
        networks if make is load_networks else MODELS or MODELS.update(targets()) or MODELS
    )


def test_a_second_view_shows_how_deep_the_spine_lies(region: LumbarRegion, geometry: XrayGeometry):
    wrong = geometry.with_values("default", source_to_isocentre_mm=960.0)  # 40 mm too near to the source
    wrong = wrong.with_values("user", isocentre_ras_mm=moved_isocentre(geometry, wrong))
    side = view(region, 90.0)
    cache = two_views(region, wrong, side)
    assert wrong.camera().source_ras_mm == pytest.approx(geometry.camera().source_ras_mm)
    alone = reconstruct([film(wrong)], vertebrae=("L2", "L3"), cache=cache)
    both = reconstruct([film(wrong), film(side)], vertebrae=("L2", "L3"), cache=cache)
    for name in ("L2", "L3"):
        assert apart(both, region, name) < 1.5
    along = [one["L3"].mesh.point_data["uncertainty_along_beam_mm"].mean() for one in (alone, both)]
    assert along[1] < along[0] / 4
    assert not any("one film does not show" in warning for warning in both.warnings)


def moved_isocentre(geometry: XrayGeometry, wrong: XrayGeometry) -> tuple[float, float, float]:
    """Where the isocentre is believed so that source and detector stay where they are."""
    by = wrong.camera().source_ras_mm - geometry.camera().source_ras_mm
    return tuple(float(value) for value in np.array(wrong.isocentre_ras_mm.value) - by)  # type: ignore[return-value]


def test_two_views_from_the_same_side_are_one_line(region: LumbarRegion, geometry: XrayGeometry):
    cache = two_views(region, geometry, view(region, 172.0))
    with pytest.raises(InputError, match="only 8 degrees apart"):
        reconstruct([film(geometry), film(view(region, 172.0))], vertebrae=("L3",), cache=cache)


def test_a_box_means_its_middle_and_a_point_in_the_patient_its_pixel(geometry: XrayGeometry):
    radiograph = film(geometry)
    assert parse_level("l3@50,60,70,80", radiograph).pixel == (60.0, 70.0)
    point = np.array(geometry.isocentre_ras_mm.value)
    pixel = parse_level("L3@" + ",".join(f"{value}" for value in point), radiograph).pixel
    np.testing.assert_allclose(pixel, geometry.camera().project(point), atol=1e-6)
