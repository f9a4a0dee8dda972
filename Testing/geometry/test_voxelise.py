from __future__ import annotations

import numpy as np
import pytest
import trimesh

from geometry.solids import box, centres, grid, hand, mesh_of, oblique_grid, sphere, winding_numbers
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize(
    "mesh", [hand(), mesh_of(trimesh.creation.torus(8, 3, 16, 12))], ids=["hand", "torus"]
)
def test_voxels_inside_agree_with_the_winding_number_on_oblique_grids(mesh: Mesh, left_handed: bool) -> None:
    middle = tuple(mesh.vertices.mean(axis=0))
    volume = grid(oblique_grid(left_handed, (1.3, 1.7, 2.1)), (9, 12, 17), middle)
    inside = voxelise(mesh, volume)
    expected = winding_numbers(centres(volume), mesh).reshape(inside.shape) > 0.5
    assert expected.sum() > 50
    np.testing.assert_array_equal(inside, expected)


def test_a_sphere_is_where_the_formula_says_on_a_sheared_grid() -> None:
    matrix = oblique_grid()
    matrix[:3, 2] += 0.5 * matrix[:3, 0]
    volume = grid(matrix, (20, 30, 40), (3, -2, 5))
    distance = np.linalg.norm(centres(volume) - [3, -2, 5], axis=1).reshape(volume.array.shape)
    inside = voxelise(sphere(12, (3, -2, 5), subdivisions=5), volume)
    sure = np.abs(distance - 12) > 0.02
    np.testing.assert_array_equal(inside[sure], (distance < 12)[sure])


def test_planes_vertices_and_edges_through_voxel_centres_neither_leak_nor_count_twice() -> None:
    volume = grid(np.eye(4), (9, 9, 9))
    # Every face, edge and vertex of the box lies on voxel centres: between strictly inside and closed inside.
    inside = voxelise(box((4, 4, 4)), volume)
    k, j, i = np.indices(inside.shape) - 4
    largest = np.maximum(np.maximum(abs(i), abs(j)), abs(k))
    assert inside[largest < 2].all() and not inside[largest > 2].any()
    assert inside.sum() == 64  # one of each two opposite faces: neighbours that share a face share no voxel


def test_two_boxes_that_share_a_face_split_the_voxels_on_it() -> None:
    volume = grid(np.eye(4), (9, 9, 12))
    left, right = box((4, 4, 4), (-2.5, 0, 0)), box((4, 4, 4), (1.5, 0, 0))
    together = voxelise(left, volume).astype(int) + voxelise(right, volume)
    assert together.max() == 1 and together.sum() == 128


def test_the_part_outside_the_grid_is_ignored_and_the_part_inside_is_right() -> None:
    whole = grid(np.eye(4), (31, 31, 31))
    part = Volume(
        whole.array[10:15, :12, 4:20],
        whole.ijk_to_ras @ np.array([[1, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1, 10], [0, 0, 0, 1.0]]),
    )
    ball = sphere(13.3, (1, 2, 3))
    np.testing.assert_array_equal(voxelise(ball, part), voxelise(ball, whole)[10:15, :12, 4:20])
    assert not voxelise(sphere(2, (500, 0, 0)), whole).any()


def test_overlapping_pieces_are_a_union() -> None:
    a, b = sphere(6, (-3, 0, 0)), sphere(6, (3, 0, 0))
    both = Mesh(
        np.concatenate([a.vertices, b.vertices]), np.concatenate([a.faces, b.faces + len(a.vertices)])
    )
    volume = grid(np.eye(4), (15, 15, 21), (0.1, 0.2, 0.3))
    np.testing.assert_array_equal(voxelise(both, volume), voxelise(a, volume) | voxelise(b, volume))


def test_voxels_add_up_to_the_volume() -> None:
    ball = sphere(10)
    volume = grid(oblique_grid(True, (0.4, 0.5, 0.6)), (50, 60, 70))
    assert voxelise(ball, volume).sum() * 0.12 == pytest.approx(volume_mm3(ball), rel=2e-3)
