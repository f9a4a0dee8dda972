"""What the shipped network sees in a round field, whatever lies outside it and however the picture shows bone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork, load_network
from mri2mesh.engines.ddx.seeing import Picture, Seen, polarised, see
from mri2mesh.engines.ddx.targets import Target, plain_targets
from mri2mesh.engines.dense_maps.maps import BoneMaps, bone_seen
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.samples import HIPS_FRONT

RIGHT = [BONES.index("hip_right"), BONES.index("femur_right")]
CENTRE, RADIUS_PX = (95, 190), 78
"""About the right hip of the sample film, which is on the left (column, row)."""


@pytest.fixture(scope="module")
def network() -> TrainedNetwork:
    return load_network()


@pytest.fixture(scope="module")
def pelvis() -> Target:
    return plain_targets()[0]


def round_film(outside: float, *, bone_bright: bool = True) -> Radiograph:
    """One hip of the sample film in a round field, as a picture. outside: the value there, 0 to 1 of the picture."""
    whole = read_radiograph(HIPS_FRONT)
    left, top = (place - RADIUS_PX - 4 for place in CENTRE)
    side = 2 * (RADIUS_PX + 4)
    point = whole.geometry.principal_point_px.value
    geometry = whole.geometry.with_values(
        "tag", size=(side, side), principal_point_px=(point[0] - left, point[1] - top)
    )
    part = whole.pixels[top : top + side, left : left + side]
    film = replace(whole, pixels=part, geometry=geometry, unusable={})
    row, column = np.indices(film.pixels.shape)
    field = np.hypot(row - side / 2, column - side / 2) < RADIUS_PX
    low, high = np.percentile(film.pixels[field], [1, 99])
    shown = np.clip((film.pixels - low) / (high - low), 0, 1)
    shown = shown if bone_bright else 1 - shown
    picture = np.where(field, shown, outside).astype(np.float32)
    return replace(film, pixels=picture, scale="display", unusable={"intensifier": ~field})


def seen(film: Radiograph, network: TrainedNetwork, pelvis: Target) -> Seen:
    return see(film, network, reference_of(film.geometry, None, ""), pelvis)


def overlap(one: Seen, other: Seen) -> float:
    """Dice of the masks of the right hip's bones."""
    a, b = (found.maps.presence[RIGHT] > 0.5 for found in (one, other))
    assert a.sum() > 1000
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def test_nothing_outside_a_round_field_is_bone_and_nothing_there_matters(
    network: TrainedNetwork, pelvis: Target
):
    black, grey = (seen(round_film(value), network, pelvis) for value in (0.0, 0.6))
    np.testing.assert_array_equal(black.maps.presence, grey.maps.presence)
    assert not black.maps.presence[:, ~black.film.shown[::2, ::2]].any()


def test_both_polarities_of_a_round_field_show_the_same_bones(network: TrainedNetwork, pelvis: Target):
    bright = seen(round_film(0.0), network, pelvis)
    dark = seen(round_film(0.0, bone_bright=False), network, pelvis)
    assert bright.inverted != dark.inverted  # whichever shows more bone, it is the same for both
    assert overlap(bright, dark) > 0.98


def test_the_polarity_is_the_one_that_shows_more_of_what_counts(network: TrainedNetwork):
    film = round_film(0.0)
    reference = reference_of(film.geometry, None, "")
    more, less = (
        polarised(Picture.of(film), network, reference, 1.0, lambda maps, sign=sign: sign * femur_seen(maps))
        for sign in (1, -1)
    )
    assert more.inverted != less.inverted
    assert femur_seen(more.maps) > femur_seen(less.maps)


def femur_seen(maps: BoneMaps) -> float:
    return bone_seen(maps.presence[BONES.index("femur_right")])


def test_how_the_user_says_that_bone_is_shown_is_believed_whatever_the_network_sees(
    network: TrainedNetwork, pelvis: Target
):
    films = [round_film(0.0), round_film(0.0, bone_bright=False)]
    assert any(seen(film, network, pelvis).inverted for film in films)
    given = [replace(film, polarity_given=True) for film in films]
    assert not any(seen(film, network, pelvis).inverted for film in given)
