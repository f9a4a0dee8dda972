from __future__ import annotations

import numpy as np
import pytest

from geometry.solids import box, sphere
from mri2mesh.geometry.interpenetration import penetration_depth


def test_overlapping_boxes_share_their_common_box() -> None:
    found = penetration_depth(box((10, 10, 10)), box((4, 4, 10), (0.5, 0, 8)))
    assert found.overlap_mm3 == pytest.approx(4 * 4 * 2, rel=1e-3)
    assert found.depth_mm == pytest.approx(2, abs=1e-4)


def test_overlapping_spheres_share_a_lens() -> None:
    radius, apart = 20.0, 35.0
    found = penetration_depth(sphere(radius, subdivisions=5), sphere(radius, (apart, 0, 0), subdivisions=5))
    lens = np.pi * (4 * radius + apart) * (2 * radius - apart) ** 2 / 12
    assert found.overlap_mm3 == pytest.approx(lens, rel=0.01)
    assert found.depth_mm == pytest.approx(5, abs=0.05)


def test_thin_bars_that_cross_without_a_vertex_inside_are_found() -> None:
    found = penetration_depth(box((20, 2, 2)), box((2, 20, 2), (0, 0, 1.2)))
    assert found.overlap_mm3 == pytest.approx(2 * 2 * 0.8, rel=1e-3)
    assert found.depth_mm == pytest.approx(0.8, abs=0.02)


def test_solids_beside_each_other_do_not_overlap_even_where_their_boxes_do() -> None:
    for other in (sphere(10, (15, 15, 15)), sphere(10, (11.6, 11.6, 11.6)), sphere(10, (50, 0, 0))):
        found = penetration_depth(sphere(10), other)
        assert found.depth_mm == 0 and found.overlap_mm3 == 0


def test_a_solid_inside_another_overlaps_by_its_whole_volume() -> None:
    found = penetration_depth(box((20, 20, 20)), box((4, 4, 4), (1, 2, 3)))
    assert found.overlap_mm3 == pytest.approx(64)
    assert found.depth_mm == pytest.approx(10 - (3 - 2), abs=1e-4)
