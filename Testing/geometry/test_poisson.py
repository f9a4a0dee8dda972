"""Surfaces through points: analytic shapes, holes, what cannot be one."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.errors import InputError
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.poisson import normals_of, surface_from_points
from mri2mesh.geometry.sampling import sample_surface


def on_sphere(count: int, radius: float, rng: np.random.Generator) -> np.ndarray:
    points = rng.normal(size=(count, 3))
    return radius * points / np.linalg.norm(points, axis=1, keepdims=True)


def on_torus(count: int, large: float, small: float, rng: np.random.Generator) -> np.ndarray:
    around, across = rng.uniform(0, 2 * np.pi, (2, 3 * count))
    kept = rng.random(3 * count) < (large + small * np.cos(across)) / (large + small)
    around, across = around[kept][:count], across[kept][:count]
    far = large + small * np.cos(across)
    return np.stack([far * np.cos(around), far * np.sin(around), small * np.sin(across)], 1)


def as_trimesh(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


def test_a_sphere_comes_back_closed_outward_and_in_place():
    points = on_sphere(2000, 20.0, np.random.default_rng(0)) + [100.0, -30.0, 500.0]
    surface = surface_from_points(points)
    assert as_trimesh(surface).is_watertight
    assert as_trimesh(surface).euler_number == 2
    assert as_trimesh(surface).volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)
    off = np.linalg.norm(surface.vertices - [100.0, -30.0, 500.0], axis=1) - 20
    assert np.abs(off).max() < 0.3


def test_a_torus_keeps_its_hole():
    surface = surface_from_points(on_torus(3000, 30.0, 10.0, np.random.default_rng(1)))
    assert as_trimesh(surface).is_watertight
    assert as_trimesh(surface).euler_number == 0
    away = (
        np.hypot(np.hypot(surface.vertices[:, 0], surface.vertices[:, 1]) - 30, surface.vertices[:, 2]) - 10
    )
    assert np.abs(away).mean() < 0.2


def test_noise_is_smoothed_and_finer_grids_follow_closer():
    rng = np.random.default_rng(2)
    points = on_sphere(4000, 20.0, rng) + rng.normal(0, 0.5, (4000, 3))
    surface = surface_from_points(points)
    assert np.abs(np.linalg.norm(surface.vertices, axis=1) - 20).mean() < 0.3
    clean = on_sphere(6000, 20.0, rng)
    errors = [
        np.abs(np.linalg.norm(surface_from_points(clean, cell_mm=cell).vertices, axis=1) - 20).mean()
        for cell in (4.0, 1.0)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_the_points_of_a_vertebra_give_it_back_with_its_foramen():
    true = VertebraShapes.load().mean("L3")
    points = sample_surface(true, 6000, np.random.default_rng(0))[0]
    surface = surface_from_points(points)
    assert as_trimesh(surface).is_watertight
    assert as_trimesh(surface).euler_number == as_trimesh(true).euler_number == 0
    assert point_to_surface(surface.vertices, true).mean() < 0.5
    assert point_to_surface(points, surface).mean() < 0.5


def test_given_normals_are_believed_and_estimated_ones_point_outwards():
    points = on_sphere(1500, 15.0, np.random.default_rng(3))
    assert (normals_of(points) * points).sum(axis=1).min() > 0.9 * 15
    same = surface_from_points(points, 7.0 * points)
    assert np.abs(np.linalg.norm(same.vertices, axis=1) - 15).max() < 0.3


def test_of_two_pieces_the_larger_is_kept_unless_both_are_wanted():
    rng = np.random.default_rng(4)
    points = np.concatenate([on_sphere(2000, 20.0, rng), on_sphere(500, 10.0, rng) + [60.0, 0, 0]])
    outward = np.concatenate([points[:2000], points[2000:] - [60.0, 0, 0]])
    assert surface_from_points(points, outward).vertices[:, 0].max() < 25
    assert surface_from_points(points, outward, largest=False).vertices[:, 0].max() > 60


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((10, 3)), "at least 50 points"),
        (np.zeros((100, 2)), "at least 50 points"),
        (np.full((100, 3), np.nan), "finite"),
        (np.random.default_rng(0).random((100, 3)) * [1, 1, 0], "one plane"),
        (np.ones((100, 3)), "one plane or place"),
    ],
)
def test_what_is_no_surface_is_refused(points: np.ndarray, message: str):
    with pytest.raises(InputError, match=message):
        surface_from_points(points)


def test_normals_that_say_nothing_are_refused():
    points = on_sphere(100, 5.0, np.random.default_rng(0))
    with pytest.raises(InputError, match="length zero"):
        surface_from_points(points, np.zeros_like(points))
    with pytest.raises(InputError, match="finite numbers"):
        surface_from_points(points, points[:50])
