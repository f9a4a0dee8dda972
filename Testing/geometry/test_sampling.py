from __future__ import annotations

import numpy as np
import pytest

from geometry.solids import box, hand, sphere
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface, vertex_normals


def test_points_lie_on_the_surface_with_outward_unit_normals() -> None:
    points, normals = sample_surface(sphere(10, subdivisions=4), 500, np.random.default_rng(0))
    assert points.shape == normals.shape == (500, 3)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 10, atol=0.05)
    np.testing.assert_allclose(normals, points / 10, atol=0.1)
    assert point_to_surface(points, sphere(10, subdivisions=4)).max() < 1e-5


def test_each_face_of_a_box_receives_points_in_proportion_to_its_area() -> None:
    points, normals = sample_surface(box((1, 2, 4)), 2800, np.random.default_rng(0))
    counts = [int((normals[:, axis] * side > 0.5).sum()) for axis in range(3) for side in (-1, 1)]
    np.testing.assert_allclose(counts, [800, 800, 400, 400, 200, 200], atol=3)
    on_top = points[normals[:, 2] > 0.5]
    np.testing.assert_allclose(on_top[:, :2].mean(axis=0), [0, 0], atol=0.15)
    np.testing.assert_allclose(on_top[:, :2].std(axis=0), np.array([1, 2]) / np.sqrt(12), rtol=0.15)


def test_the_same_seed_gives_the_same_points() -> None:
    one, two, three = (sample_surface(hand(), 50, np.random.default_rng(seed))[0] for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - three).max() > 0.01


def test_a_surface_without_area_is_refused() -> None:
    with pytest.raises(ValueError, match="area"):
        sample_surface(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]])), 5, np.random.default_rng(0))


def test_vertex_normals_of_a_sphere_point_away_from_its_centre() -> None:
    mesh = sphere(7, subdivisions=4)
    np.testing.assert_allclose(vertex_normals(mesh), mesh.vertices / 7, atol=0.02)
