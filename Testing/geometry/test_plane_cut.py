"""Planes cut surfaces exactly where they meet them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from export.conftest import ellipsoid
from geometry.solids import box
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.plane_cut import plane_cut


def length(segments: np.ndarray) -> float:
    return float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())


def test_a_sphere_is_cut_in_a_circle() -> None:
    mesh = ellipsoid(np.array([5.0, -3, 7]), np.array([10.0, 10, 10]), n=60)
    normal = np.array([2.0, -1, 2]) / 3
    cut = plane_cut(mesh, np.array([5.0, -3, 7]) + 6 * normal, normal)
    segments = cut.segments(mesh.vertices)
    assert length(segments) == pytest.approx(2 * np.pi * 8, rel=2e-3)
    heights = (segments.reshape(-1, 3) - [5, -3, 7]) @ normal
    np.testing.assert_allclose(heights, 6, atol=1e-5)


def test_the_contour_of_a_closed_surface_is_closed_even_through_vertices() -> None:
    corners = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 0, 1)])
    octahedron = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    for points in (octahedron, corners):
        mesh = Mesh(points, ConvexHull(points).simplices)
        cut = plane_cut(mesh, np.zeros(3), np.array([0.0, 0, 1]))
        ends = cut.segments(mesh.vertices).reshape(-1, 3).round(6)
        _, counts = np.unique(ends, axis=0, return_counts=True)
        assert len(counts) >= 4 and (counts % 2 == 0).all()


def test_a_plane_that_misses_cuts_nothing() -> None:
    cut = plane_cut(box((2, 2, 2)), np.array([0, 0, 500.0]), np.array([0, 0, 1.0]))
    assert cut.segments(box((2, 2, 2)).vertices).shape == (0, 2, 3) and len(cut.loops()) == 0


def test_two_boxes_are_cut_in_two_loops() -> None:
    one, two = box((2, 2, 2)), box((4, 4, 4), (10, 0, 0))
    both = Mesh(
        np.concatenate([one.vertices, two.vertices]),
        np.concatenate([one.faces, two.faces + len(one.vertices)]),
    )
    cut = plane_cut(both, np.array([0, 0, 0.3]), np.array([0, 0, 1.0]))
    loops, segments = cut.loops(), cut.segments(both.vertices)
    assert set(loops) == {0, 1}
    perimeters = {round(length(segments[loops == loop]), 4) for loop in (0, 1)}
    assert perimeters == {8.0, 16.0}
