"""Dense maps of lumbar films: what the networks are given, and that truth and picture stay together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.engines.dense_maps.film import against_custom
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.points import points_from_depth
from mri2mesh.engines.revert.inputs import camera_channels, film_channels
from mri2mesh.engines.revert.networks.stored import (
    crop_network,
    film_network,
    load_networks,
    save_networks,
)
from mri2mesh.engines.revert.training.hanging import hung
from mri2mesh.engines.revert.training.maps_batches import (
    crop_batches,
    crop_examples,
    film_batches,
    film_example,
)
from mri2mesh.engines.revert.training.options import RevertTrainOptions
from mri2mesh.engines.revert.training.run import train_revert
from mri2mesh.errors import InputError
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.lumbar.case import make_lumbar_case
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker
from mri2mesh.synthesis.films.lumbar.trunks import draw_trunks
from mri2mesh.synthesis.films.lumbar.views import draw_lumbar_view

SMALL = (16, 16, 16, 16, 16)


@pytest.fixture(scope="module")
def cases() -> list[FilmCase]:
    """A film from the front and one from the side."""
    rng = np.random.default_rng(3)
    region = LumbarMaker(draw_trunks([0], 0)).draw(rng)
    return [
        make_lumbar_case(region, draw_lumbar_view(region, rng, 128, kind), rng) for kind in ("ap", "lateral")
    ]


def test_films_are_hung_with_right_or_front_on_the_left_and_truth_goes_along(cases: list[FilmCase]):
    for case in cases:
        own = hung(case)
        assert not against_custom(own.camera)
        assert hung(own) is own
        bone = own.truth.mask[BONES.index("L3")]
        row, column = np.nonzero(bone)
        depth = own.truth.depth[BONES.index("L3"), 0, row, column]
        points = points_from_depth(own.camera.coarser(2), column, row, depth)
        parts = trunk_parts()
        assert case.vertices is not None
        surface = Mesh(case.vertices[parts.rows["L3"]], parts.vertebra_faces)
        assert np.median(point_to_surface(points, surface)) < 0.3


def test_a_crops_maps_are_those_of_its_vertebra_through_its_own_camera(cases: list[FilmCase]):
    rng = np.random.default_rng(0)
    for case in cases:
        assert case.vertices is not None
        examples = crop_examples(hung(case), rng, 64, 2, sd_mm=5.0)
        assert len(examples) == 2
        for example in examples:
            mask, depth = example.truth.mask[0], example.truth.depth[0]
            assert mask.sum() > 60
            middle = np.argwhere(mask).mean(axis=0)
            assert np.abs(middle - 15.5).max() < 8
            assert abs(depth[:, mask].mean() - example.reference_mm) < 40
            places = example.truth.canonical[0][:, :, mask]
            assert np.abs(places).max() < 90


def test_every_use_of_a_film_is_another_batch_of_the_right_shape(cases: list[FilmCase]):
    whole = next(film_batches(lambda rng: cases[int(rng.integers(2))], 2, 0, 64))
    assert whole.film.shape[:2] == (2, 1)
    assert whole.camera.shape[1] == 19
    assert whole.mask.shape[1] == len(BONES)
    crops = crop_batches(lambda rng: cases[int(rng.integers(2))], 3, 0, 64)
    first, second = next(crops), next(crops)
    assert first.film.shape == (3, 1, 64, 64)
    assert first.camera.shape == (3, 11, 32, 32)
    assert first.mask.shape == (3, 1, 32, 32)
    assert not torch.equal(first.film, second.film)


def test_a_hint_is_a_spot_on_the_vertebra_it_names(cases: list[FilmCase]):
    case = hung(cases[0])
    example = film_example(case, np.random.default_rng(2), sd_mm=5.0, hinted=1.0)
    spots = example.channels[11:]
    named = [bone for bone in range(len(BONES)) if spots[bone].any()]
    assert len(named) == 1
    row, column = np.unravel_index(spots[named[0]].argmax(), spots.shape[1:])
    assert case.truth.mask[named[0]][row - 4 : row + 5, column - 4 : column + 5].mean() > 0.5
    assert not film_example(case, np.random.default_rng(2), sd_mm=5.0, hinted=0.0).channels[11:].any()


def test_the_network_knows_from_where_the_patient_is_seen():
    def seen(angle: float) -> np.ndarray:
        camera = XrayCamera.from_c_arm(
            source_to_detector_mm=1000.0,
            source_to_isocentre_mm=800.0,
            pixel_spacing_mm=(3.0, 3.0),
            size=(32, 32),
            primary_angle_deg=angle,
        )
        return camera_channels(camera, Reference(800.0))[5:8, 0, 0]

    np.testing.assert_allclose(seen(180.0), [0, -1, 0], atol=1e-6)  # from front to back
    np.testing.assert_allclose(seen(0.0), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(np.abs(seen(90.0)), [1, 0, 0], atol=1e-6)
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1000.0, source_to_isocentre_mm=800.0, pixel_spacing_mm=(3.0, 3.0), size=(32, 32)
    )
    spot = film_channels(camera, Reference(800.0), 4, (20, 9))[11:]
    assert np.unravel_index(spot.argmax(), spot.shape) == (4, 9, 20)


def test_weights_of_both_networks_come_back_from_one_file(tmp_path: Path):
    torch.manual_seed(0)
    film, crop = film_network(SMALL), crop_network(SMALL)
    places = {level: np.full((4, 3), float(k)) for k, level in enumerate(VERTEBRAE)}
    save_networks(
        tmp_path, film.state_dict(), crop.state_dict(), places,
        {
            "film_widths": list(SMALL), "crop_widths": list(SMALL), "film_pixels": 96, "crop_pixels": 64,
            "left_out": ["nobody"],
        },
    )  # fmt: skip
    found = load_networks(tmp_path)
    assert (found.left_out, found.film_pixels, found.crop_pixels) == (("nobody",), 96, 64)
    np.testing.assert_allclose(found.places["L5"], 6.0)
    for mine, theirs in ((film, found.film), (crop, found.crop)):
        for name, value in mine.state_dict().items():
            largest = float(value.abs().max())
            assert (theirs.state_dict()[name] - value).abs().max() <= largest / 127 + 1e-6


def test_both_networks_together_are_at_most_four_megabytes():
    count = sum(p.numel() for network in (film_network(), crop_network()) for p in network.parameters())
    assert count < 4e6  # a byte each


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"what": "best"}, "use one of points, levels, maps"),
        ({"what": "maps", "pixels": 100}, "multiple of 32"),
    ],
)
def test_wrong_requests_are_one_line(tmp_path: Path, change: dict, message: str):
    with pytest.raises(InputError, match=message):
        train_revert(RevertTrainOptions(out=tmp_path, **change))
