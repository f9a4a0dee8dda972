from __future__ import annotations

import numpy as np
import pytest

from geometry.solids import box, fine_box, hand, point_triangle_distances, sphere, winding_numbers
from mri2mesh.geometry.distances import point_to_surface, signed_distance, surface_distances
from mri2mesh.geometry.sampling import sample_surface


def test_point_to_surface_agrees_with_brute_force_over_all_triangles() -> None:
    rng = np.random.default_rng(0)
    mesh = hand()
    points = rng.uniform(mesh.vertices.min(0) - 4, mesh.vertices.max(0) + 4, (400, 3))
    np.testing.assert_allclose(
        point_to_surface(points, mesh), point_triangle_distances(points, mesh), atol=1e-5
    )


def test_points_of_large_triangles_are_nearest_inside_a_face_and_not_at_its_corners() -> None:
    mesh = box((100, 100, 2))
    points = np.array(
        [[3.0, 7.0, 4.0], [-20.0, 11.0, -2.5], [60.0, 3.0, 0.0], [53.0, 54.0, 1.0], [0.0, 0.0, 0.25]]
    )
    np.testing.assert_allclose(point_to_surface(points, mesh), [3, 1.5, 10, 5, 0.75], atol=1e-5)


def test_the_signed_distance_is_negative_exactly_inside() -> None:
    rng = np.random.default_rng(1)
    mesh = hand()
    points = rng.uniform(mesh.vertices.min(0) - 1, mesh.vertices.max(0) + 1, (1500, 3))
    inside = winding_numbers(points, mesh) > 0.5
    signed = signed_distance(points, mesh)
    assert 300 < inside.sum() < 1200
    np.testing.assert_array_equal(signed < 0, inside)


def test_concentric_spheres_are_apart_by_the_difference_of_their_radii() -> None:
    found = surface_distances(sphere(10, subdivisions=4), sphere(12, subdivisions=4))
    assert found.assd == pytest.approx(2, abs=0.02)
    assert found.hd95 == pytest.approx(2, abs=0.02)
    assert found.hd == pytest.approx(2, abs=0.02)


def test_a_shifted_box_gives_the_distances_worked_out_by_hand() -> None:
    # A 10 x 20 x 30 box moved by 1 mm along x: the two x faces (600 of them 1 mm apart), the other four
    # 0 apart but for a strip 1 mm wide, where the distance runs from 0 to 1 and has mean 1/2.
    found = surface_distances(box((10, 20, 30)), box((10, 20, 30), (1, 0, 0)), n_samples=40_000)
    area = 2 * (10 * 20 + 10 * 30 + 20 * 30)
    outer = 600 * 1.0 + 2 * (20 + 30) * 1 * 0.5
    # The x face now inside the other box is 1 mm from it along x in the middle, less near its rim.
    rim = 20 * 30 - 18 * 28
    inner = 18 * 28 * 1.0 + sum(_rim_terms())
    assert rim == 96
    assert found.assd == pytest.approx((outer + inner) / area, rel=0.01)
    assert found.hd == pytest.approx(1, abs=1e-5)
    assert found.hd95 == pytest.approx(1, abs=1e-5)


def _rim_terms() -> list[float]:
    """Integral of the distance to the rim over the rim of a 20 x 30 rectangle, 1 mm wide.

    Four strips with mean 1/2 over lengths 18, 18, 28, 28; four unit corners of min(x, y), mean 1/3.
    """
    return [2 * (18 + 28) * 0.5, 4 / 3]


def test_distances_agree_with_brute_force_between_two_different_solids() -> None:
    a, b = hand(), sphere(8, tuple(hand().vertices.mean(axis=0) + [1, 0.5, -0.5]), subdivisions=2)
    found = surface_distances(a, b)
    rng = np.random.default_rng(9)
    there = point_triangle_distances(sample_surface(a, 2000, rng)[0], b)
    back = point_triangle_distances(sample_surface(b, 2000, rng)[0], a)
    from mri2mesh.geometry.checks import area_mm2

    assd = (there.mean() * area_mm2(a) + back.mean() * area_mm2(b)) / (area_mm2(a) + area_mm2(b))
    assert found.assd == pytest.approx(assd, rel=0.02)
    assert found.hd95 == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)), rel=0.02)
    assert found.hd == pytest.approx(max(there.max(), back.max()), rel=0.02)


def test_distances_do_not_depend_on_the_triangulation_the_order_or_the_run() -> None:
    coarse, fine, other = box((10, 20, 30)), fine_box((10, 20, 30), 2), sphere(9, subdivisions=2)
    one, two = surface_distances(coarse, other), surface_distances(fine, other)
    assert one.assd == pytest.approx(two.assd, rel=0.01)
    assert surface_distances(other, coarse).assd == pytest.approx(one.assd, rel=0.01)
    assert surface_distances(coarse, other) == one


def test_the_hausdorff_distance_sees_a_single_spike_that_the_mean_ignores() -> None:
    ball = sphere(10)
    vertices = ball.vertices.copy()
    vertices[17] *= 1.7
    found = surface_distances(ball, ball.with_vertices(vertices))
    assert found.hd == pytest.approx(7, abs=0.05)
    assert found.assd < 0.2 and found.hd95 < 2


def test_a_surface_is_at_no_distance_from_itself() -> None:
    found = surface_distances(hand(), hand())
    assert found.assd < 1e-5 and found.hd < 1e-5
