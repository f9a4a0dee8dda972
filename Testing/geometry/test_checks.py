from __future__ import annotations

import numpy as np
import pytest

from geometry.solids import box, fine_box, mesh_of, sphere, torus
from mri2mesh.geometry.checks import area_mm2, is_watertight, outward, self_intersections, volume_mm3
from mri2mesh.geometry.connectivity import component_labels, euler_characteristic, largest_component
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh


def joined(*meshes: Mesh) -> Mesh:
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=False)]),
    )


def test_volume_and_area_of_a_box_match_the_formula_wherever_it_is() -> None:
    mesh = box((3, 4, 5), centre=(1000, -500, 20))
    assert volume_mm3(mesh) == pytest.approx(60, rel=1e-5)
    assert area_mm2(mesh) == pytest.approx(94, rel=1e-5)


def test_volume_of_a_sphere_matches_the_formula() -> None:
    assert volume_mm3(sphere(10, subdivisions=5)) == pytest.approx(4 / 3 * np.pi * 1000, rel=2e-3)


def test_closed_surfaces_are_watertight() -> None:
    assert is_watertight(box((1, 1, 1))) and is_watertight(sphere(2)) and is_watertight(torus())


def test_a_missing_face_a_turned_face_or_a_third_face_on_an_edge_is_not_watertight() -> None:
    mesh = sphere(2)
    turned = mesh.faces.copy()
    turned[5] = turned[5, ::-1]
    assert not is_watertight(Mesh(mesh.vertices, mesh.faces[1:]))
    assert not is_watertight(Mesh(mesh.vertices, turned))
    assert not is_watertight(Mesh(mesh.vertices, np.concatenate([mesh.faces, mesh.faces[:1]])))
    assert not is_watertight(Mesh(mesh.vertices, mesh.faces[:0]))


def test_outward_turns_an_inside_out_surface_and_mends_mixed_winding() -> None:
    mesh = sphere(5)
    volume = volume_mm3(mesh)
    inside_out = Mesh(mesh.vertices, mesh.faces[:, ::-1])
    assert volume_mm3(inside_out) == pytest.approx(-volume)
    assert volume_mm3(outward(inside_out)) == pytest.approx(volume)
    mixed = mesh.faces.copy()
    mixed[::3] = mixed[::3, ::-1]
    mended = outward(Mesh(mesh.vertices, mixed))
    assert is_watertight(mended) and volume_mm3(mended) == pytest.approx(volume)
    np.testing.assert_array_equal(mended.vertices, mesh.vertices)


def test_convex_and_flat_faced_solids_do_not_intersect_themselves() -> None:
    assert self_intersections(sphere(10)) == 0
    assert self_intersections(fine_box((3, 4, 5))) == 0  # many coplanar neighbours
    assert self_intersections(torus()) == 0


def test_two_crossing_boxes_are_counted_pair_by_pair() -> None:
    # A thin bar through the middle of two opposite faces of a cube, off the diagonals of its faces.
    cube, bar = box((4, 4, 4)), box((0.2, 0.2, 9), centre=(0.7, -0.3, 0))
    # The bar's eight long triangles each cross one triangle of the top face and one of the bottom face,
    # so long as the bar is within one triangle of each: z-faces of the cube are cut along one diagonal.
    count = self_intersections(joined(cube, bar))
    sliced = sum(
        _segments_through(cube.vertices[face].astype(float), bar) for face in cube.faces
    )  # second opinion: sampled barycentric crossings
    assert count == sliced > 0


def _segments_through(triangle: np.ndarray, mesh: Mesh) -> int:
    """Number of the mesh's faces with an edge through the triangle, or that one of its edges goes through."""
    count = 0
    for face in mesh.vertices[mesh.faces].astype(float):
        pairs = [(face, triangle), (triangle, face)]
        count += any(_pierces(p[i], p[(i + 1) % 3], q) for p, q in pairs for i in range(3))
    return count


def _pierces(start: np.ndarray, end: np.ndarray, triangle: np.ndarray) -> bool:
    a, b, c = triangle
    matrix = np.stack([b - a, c - a, start - end], axis=1)
    if abs(np.linalg.det(matrix)) < 1e-12:
        return False
    u, v, t = np.linalg.solve(matrix, start - a)
    return u >= 0 and v >= 0 and u + v <= 1 and 0 <= t <= 1


def test_random_triangle_soup_agrees_with_piercing_every_pair() -> None:
    rng = np.random.default_rng(3)
    corners = rng.normal(size=(60, 1, 3)) + rng.normal(size=(60, 3, 3))
    mesh = Mesh(corners.reshape(-1, 3), np.arange(180).reshape(-1, 3))
    triangles = mesh.vertices.astype(float)[mesh.faces]
    expected = 0
    for i in range(60):
        for j in range(i + 1, 60):
            pairs = [(triangles[i], triangles[j]), (triangles[j], triangles[i])]
            expected += any(_pierces(p[k], p[(k + 1) % 3], q) for p, q in pairs for k in range(3))
    assert self_intersections(mesh) == expected > 20


def test_pairs_can_be_asked_for_some_faces_only() -> None:
    rng = np.random.default_rng(5)
    mesh = sphere(10)
    mesh = mesh.with_vertices(mesh.vertices + rng.normal(0, 0.6, mesh.vertices.shape))
    everything = self_intersecting_pairs(mesh.vertices, mesh.faces)
    chosen = rng.random(len(mesh.faces)) < 0.3
    some = self_intersecting_pairs(mesh.vertices, mesh.faces, chosen)
    expected = everything[chosen[everything].any(axis=1)]
    assert 0 < len(expected) < len(everything)
    assert sorted(map(tuple, some)) == sorted(map(tuple, expected))


def test_a_vertex_pushed_through_the_other_side_makes_intersections() -> None:
    mesh = sphere(10)
    vertices = mesh.vertices.copy()
    vertices[vertices[:, 2].argmax(), 2] = -13
    assert self_intersections(mesh.with_vertices(vertices)) >= 6


def test_triangles_with_a_common_vertex_count_only_when_they_meet_elsewhere() -> None:
    vertices = np.array(
        [[0, 0, 0], [2, 0, 0], [0, 2, 0], [1, 0.5, -1], [0.5, 1, 1.5], [-1, -2, 1], [-2, -1, 1]]
    )
    assert self_intersections(Mesh(vertices, np.array([[0, 1, 2], [0, 5, 6]]))) == 0
    assert self_intersections(Mesh(vertices, np.array([[0, 1, 2], [0, 3, 4]]))) == 1


def test_triangles_with_a_common_edge_count_only_when_folded_flat_on_the_same_side() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1, 0], [0.4, 0.5, 0], [0.5, -1, 0], [0.5, 1, 0.01]])
    assert self_intersections(Mesh(vertices, np.array([[0, 1, 2], [1, 0, 4]]))) == 0
    assert self_intersections(Mesh(vertices, np.array([[0, 1, 2], [1, 0, 5]]))) == 0
    assert self_intersections(Mesh(vertices, np.array([[0, 1, 2], [1, 0, 3]]))) == 1


def test_coplanar_triangles_count_when_they_overlap_and_not_when_beside() -> None:
    triangle = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    faces = np.arange(6).reshape(2, 3)
    inside = np.concatenate([triangle, triangle * 0.2 + [0.2, 0.2, 0]])
    beside = np.concatenate([triangle, triangle + [0.6, 0.6, 0]])
    assert self_intersections(Mesh(inside, faces)) == 1
    assert self_intersections(Mesh(beside, faces)) == 0


def test_large_and_small_triangles_together_are_found() -> None:
    slab = box((200, 200, 1))
    count = self_intersections(joined(slab, sphere(2, centre=(30, 10, 0.5))))
    assert count > 10
    assert self_intersections(joined(slab, sphere(2, centre=(30, 10, 2.6)))) == 0


def test_pieces_and_handles_are_counted() -> None:
    two = joined(sphere(2, subdivisions=1), sphere(3, centre=(10, 0, 0)))
    assert component_labels(two)[0] == 2
    assert euler_characteristic(two) == 4 and euler_characteristic(torus()) == 0
    kept = largest_component(two)
    assert volume_mm3(kept) == pytest.approx(volume_mm3(sphere(3)), rel=1e-4)
    assert kept.vertices[:, 0].min() > 5


def test_mesh_of_trimesh_agrees_on_volume() -> None:
    import trimesh

    capsule = trimesh.creation.capsule(7, 3)
    assert volume_mm3(mesh_of(capsule)) == pytest.approx(capsule.volume, rel=1e-5)


def test_a_surface_changed_in_one_place_is_looked_at_anew() -> None:
    solid = sphere(10.0)
    assert self_intersections(solid) == 0
    assert self_intersections(Mesh(solid.vertices.copy(), solid.faces.copy())) == 0
    vertices = solid.vertices.copy()
    vertices[0] = -2 * vertices[0]
    assert self_intersections(solid.with_vertices(vertices)) > 0
    assert self_intersections(solid) == 0
