"""The row of vertebrae in a film: none twice, gaps kept, names that follow one another."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.revert.spine import order_along_spine
from mri2mesh.geometry.xray_camera import XrayCamera


@pytest.fixture
def camera() -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(6.0, 6.0),
        size=(64, 64),
        primary_angle_deg=180.0,
    )


def at(*heights: float) -> dict[int, np.ndarray]:
    """Channel 2 on, from head to foot."""
    return {2 + k: np.array([0.0, 0.0, height]) for k, height in enumerate(heights)}


def order(camera: XrayCamera, middles: dict[int, np.ndarray], **area: float) -> list[tuple[int, int]]:
    known = {k: area.get(f"c{k}", 1000.0) for k in middles}
    return list(order_along_spine(middles, known, camera).items())


def test_neighbours_follow_one_another_from_head_to_foot(camera: XrayCamera):
    assert order(camera, at(70, 35, 0, -37, -75)) == [(2, 0), (3, 1), (4, 2), (5, 3), (6, 4)]


def test_a_gap_wide_enough_for_a_vertebra_is_one(camera: XrayCamera):
    assert order(camera, at(70, 35, -37, -75)) == [(2, 0), (3, 1), (4, 3), (5, 4)]


def test_two_in_one_place_are_the_larger_one(camera: XrayCamera):
    assert order(camera, at(70, 35, 33, 0), c3=300.0) == [(2, 0), (4, 1), (5, 2)]


def test_children_have_smaller_spaces(camera: XrayCamera):
    assert [place for _, place in order(camera, at(48, 24, 0, -24, -50))] == [0, 1, 2, 3, 4]


def test_the_scale_may_be_wrong_and_the_first_be_cut_by_the_edge(camera: XrayCamera):
    # As on a real film that was taken to be larger than it is: the first body's middle is that of its lower half.
    heights = np.cumsum([0, -26, -35, -44, -44, -48, -48]) + 120.0
    assert [place for _, place in order(camera, at(*heights))] == [0, 1, 2, 3, 4, 5, 6]
    without_one = np.delete(heights, 4)
    assert [place for _, place in order(camera, at(*without_one))] == [0, 1, 2, 3, 5, 6]


def test_depth_does_not_set_them_apart(camera: XrayCamera):
    deep = {2: np.array([0.0, 40.0, 35.0]), 3: np.array([0.0, -40.0, 0.0])}
    assert [place for _, place in order(camera, deep)] == [0, 1]


def test_nothing_and_one_are_no_row(camera: XrayCamera):
    assert order_along_spine({}, {}, camera) == {}
    assert order(camera, at(10.0)) == [(2, 0)]
