"""Registration of a template to a bone, on shapes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from building.anatomy.registration import Target, nonrigid_fit, rigid_search
from building.anatomy.symmetry import sagittal_plane, symmetric_remesh, to_plane
from mri2mesh.anatomy.templates import template
from mri2mesh.geometry.checks import self_intersections
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.mesh import Mesh


def test_ball_drawn_onto_an_ellipsoid_lies_on_it() -> None:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=20.0)
    ellipsoid = trimesh.creation.icosphere(subdivisions=4, radius=1.0)
    ellipsoid.vertices *= [24.0, 18.0, 15.0]
    fitted = nonrigid_fit(
        ball.vertices, ball.faces, Target(ellipsoid.vertices, ellipsoid.faces, n_samples=8000)
    )
    on_surface = ((fitted / [24.0, 18.0, 15.0]) ** 2).sum(axis=1)
    assert np.abs(np.sqrt(on_surface) - 1).max() < 0.03
    assert self_intersections(Mesh(fitted, ball.faces)) == 0


def test_rigid_search_undoes_a_tilt_and_a_scale() -> None:
    vertebra = template("vertebra")
    turn = trimesh.transformations.rotation_matrix(np.deg2rad(35), [1, 0.1, 0.05])[:3, :3]
    moved = 1.1 * vertebra.vertices @ turn.T + [30, -50, 800]
    found = rigid_search(vertebra.vertices.astype(float), vertebra.faces, Target(moved, vertebra.faces, 8000))
    assert np.linalg.norm(found - moved, axis=1).mean() < 0.5


def test_vertices_without_weight_are_carried_along() -> None:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=20.0)
    target = Target(ball.vertices + [0, 0, 6.0], ball.faces, n_samples=6000)
    weights = (ball.vertices[:, 2] > -5.0).astype(float)
    fitted = nonrigid_fit(ball.vertices, ball.faces, target, stiffness=(30.0, 10.0), weights=weights)
    carried = (fitted - ball.vertices)[weights == 0]
    assert carried[:, 2].mean() == pytest.approx(6.0, abs=1.5)


def test_sagittal_plane_of_a_tilted_symmetric_bone_is_found() -> None:
    vertebra = template("vertebra")
    turn = trimesh.transformations.euler_matrix(0.02, -0.1, 0.15)[:3, :3]
    moved = vertebra.vertices @ turn.T + [12.0, 5.0, 3.0]
    normal, point = sagittal_plane(moved)
    assert normal @ turn[:, 0] == pytest.approx(1.0, abs=1e-3)
    assert abs((np.array([12.0, 5.0, 3.0]) - point) @ normal) < 0.2
    levelled = to_plane(moved, normal, point)
    assert abs(np.ptp(levelled[:, 0]) - np.ptp(vertebra.vertices[:, 0])) < 0.3


def test_symmetric_remesh_is_closed_symmetric_and_on_the_surface() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=20.0)
    mesh, mirror = symmetric_remesh(ball, 400)
    assert mesh.is_watertight and mesh.volume > 0 and abs(len(mesh.vertices) - 400) < 60
    assert np.abs(mesh.vertices[mirror] * [-1, 1, 1] - mesh.vertices).max() < 1e-9
    original = Mesh(ball.vertices, ball.faces)
    assert surface_distances(Mesh(mesh.vertices, mesh.faces), original, n_samples=3000).assd < 0.3
