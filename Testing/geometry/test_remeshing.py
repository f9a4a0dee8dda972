from __future__ import annotations

import numpy as np
import pytest
import trimesh

from geometry.solids import fine_box, hand, mesh_of, sphere
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.connectivity import euler_characteristic
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.edges import edges
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.remeshing import _without_fins, clean, decimate, fill_holes, remesh
from mri2mesh.geometry.smoothing import taubin


def labelled(mesh: Mesh) -> Mesh:
    return mesh.with_point_data(region=(mesh.vertices[:, 0] > 0).astype(np.uint8) + 4, x=mesh.vertices[:, 0])


def test_remeshing_keeps_shape_topology_and_data_and_spaces_vertices_evenly() -> None:
    mesh = labelled(mesh_of(trimesh.creation.torus(20, 6, 64, 48)))
    result = remesh(mesh, 500)
    assert abs(len(result.vertices) - 500) <= 5
    assert is_watertight(result) and euler_characteristic(result) == 0 and volume_mm3(result) > 0
    assert surface_distances(result, mesh, n_samples=2000).assd < 0.15
    lengths = np.linalg.norm(np.diff(result.vertices[edges(result.faces)], axis=1), axis=2)
    assert lengths.std() / lengths.mean() < 0.25
    np.testing.assert_allclose(result.point_data["x"], result.vertices[:, 0], atol=0.2)
    away = np.abs(result.vertices[:, 0]) > 1.5
    np.testing.assert_array_equal(result.regions[away], (result.vertices[away, 0] > 0) + 4)


def test_remeshing_can_add_vertices() -> None:
    result = remesh(sphere(10, subdivisions=2), 500)
    assert is_watertight(result) and len(result.vertices) > 480


def test_a_fin_left_by_clustering_is_cut_off_and_nothing_else() -> None:
    mesh = sphere(10)
    first = mesh.faces[0]
    fin = Mesh(
        np.concatenate([mesh.vertices, [[20, 0, 0], [21, 1, 0]]]),
        np.concatenate([mesh.faces, [[first[0], first[1], 642], [first[1], 643, 642]]]),
    )
    result = _without_fins(fin)
    assert is_watertight(result)
    np.testing.assert_array_equal(result.faces, mesh.faces)


def test_decimating_keeps_a_closed_solid_closed_and_its_flat_faces_exact() -> None:
    mesh = labelled(fine_box((10, 20, 30), 4))
    result = decimate(mesh, 200)
    assert len(result.faces) <= 210 and is_watertight(result)
    assert volume_mm3(result) == pytest.approx(6000, rel=1e-3)
    np.testing.assert_allclose(result.point_data["x"], result.vertices[:, 0], atol=1e-4)
    assert decimate(mesh, 10**6) is mesh


def test_cleaning_merges_doubled_vertices_and_drops_what_is_no_triangle() -> None:
    mesh = sphere(10)
    soup = Mesh(mesh.vertices[mesh.faces].reshape(-1, 3), np.arange(3 * len(mesh.faces)).reshape(-1, 3))
    assert not is_watertight(soup)
    dirty = Mesh(
        np.concatenate([soup.vertices, [[99, 99, 99]]]),
        np.concatenate([soup.faces, soup.faces[:4], [[0, 1, 1]]]),
    )
    result = clean(dirty)
    assert is_watertight(result) and len(result.vertices) == len(mesh.vertices)
    assert volume_mm3(result) == pytest.approx(volume_mm3(mesh))


def test_cleaning_keeps_point_data_with_its_vertex() -> None:
    mesh = labelled(hand())
    doubled = Mesh(
        np.repeat(mesh.vertices, 2, axis=0), mesh.faces * 2 + 1,
        {name: np.repeat(values, 2, axis=0) for name, values in mesh.point_data.items()},
    )  # fmt: skip
    result = clean(doubled)
    np.testing.assert_array_equal(result.vertices, mesh.vertices)
    np.testing.assert_array_equal(result.point_data["x"], mesh.vertices[:, 0])


@pytest.mark.parametrize("turned", [False, True])
def test_filling_a_planar_cut_closes_it_and_gives_the_volume_of_what_is_left(turned: bool) -> None:
    mesh = labelled(fine_box((4, 6, 8)))
    top = (mesh.vertices[mesh.faces][:, :, 2] > 1.999).all(axis=1)
    faces = mesh.faces[~top] if not turned else mesh.faces[~top][:, ::-1]
    opened = clean(Mesh(mesh.vertices, faces, mesh.point_data))
    assert not is_watertight(opened)
    closed = fill_holes(opened)
    assert is_watertight(closed)
    assert volume_mm3(closed) == pytest.approx(4 * 6 * 6, rel=1e-5)
    np.testing.assert_array_equal(closed.point_data["x"], opened.vertices[:, 0])


def test_taubin_takes_noise_off_without_shrinking_where_plain_averaging_shrinks() -> None:
    ball = sphere(10, subdivisions=4)
    noisy = ball.with_vertices(ball.vertices + np.random.default_rng(0).normal(0, 0.15, ball.vertices.shape))
    smooth = taubin(noisy, 20)
    assert (
        surface_distances(smooth, ball, n_samples=3000).assd
        < 0.5 * surface_distances(noisy, ball, n_samples=3000).assd
    )
    assert volume_mm3(smooth) == pytest.approx(volume_mm3(ball), rel=0.01)
    assert self_intersections(smooth) == 0


def test_taubin_moves_only_where_it_may() -> None:
    mesh = hand()
    where = mesh.vertices[:, 2] > 4
    moved = np.abs(taubin(mesh, 5, where=where).vertices - mesh.vertices).max(axis=1) > 0
    assert moved.any() and not moved[~where].any()
