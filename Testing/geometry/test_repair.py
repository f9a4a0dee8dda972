from __future__ import annotations

import logging

import numpy as np
import pytest

from geometry.solids import fine_box, sphere
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections, untangle


def test_a_clean_surface_is_returned_as_it_is() -> None:
    mesh = sphere(10)
    assert remove_self_intersections(mesh) is mesh


def test_one_vertex_through_the_far_side_is_put_back_and_the_rest_stays() -> None:
    mesh = sphere(10, subdivisions=4).with_point_data(region=np.arange(2562) % 7)
    vertices = mesh.vertices.copy()
    top = vertices[:, 2].argmax()
    vertices[top, 2] = -12
    result = untangle(mesh.with_vertices(vertices))
    assert result.remaining == 0 and self_intersections(result.mesh) == 0
    np.testing.assert_array_equal(result.mesh.faces, mesh.faces)
    np.testing.assert_array_equal(result.mesh.regions, mesh.regions)
    assert result.moved < 60
    assert volume_mm3(result.mesh) == pytest.approx(volume_mm3(mesh), rel=0.03)


def test_a_noisy_fold_is_untangled_near_where_it_is_only() -> None:
    mesh = sphere(20, subdivisions=4)
    noise = np.random.default_rng(0).normal(0, 1.2, mesh.vertices.shape)
    patch = mesh.vertices[:, 0] > 15
    tangled = mesh.with_vertices(mesh.vertices + noise * patch[:, None])
    assert self_intersections(tangled) > 50
    result = untangle(tangled)
    assert result.remaining == self_intersections(result.mesh) == 0
    assert is_watertight(result.mesh)
    still = mesh.vertices[:, 0] < 10
    np.testing.assert_array_equal(result.mesh.vertices[still], tangled.vertices[still])
    assert result.largest_move_mm < 5


def test_two_sheets_that_cross_are_drawn_apart() -> None:
    slab = fine_box((20, 20, 4), 3)
    dented = slab.vertices.copy()
    middle = (np.abs(dented[:, :2]).max(axis=1) < 3) & (dented[:, 2] > 1.9)
    dented[middle, 2] = -3  # the top pushed out through the bottom
    tangled = slab.with_vertices(dented)
    assert self_intersections(tangled) > 0
    result = untangle(tangled)
    assert result.remaining == self_intersections(result.mesh) == 0
    assert volume_mm3(result.mesh) > 0


def test_what_cannot_be_removed_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    # The same sphere twice in one place: smoothing moves both alike and never parts them.
    a = b = sphere(10, subdivisions=1)
    both = Mesh(
        np.concatenate([a.vertices, b.vertices]), np.concatenate([a.faces, b.faces + len(a.vertices)])
    )
    before = self_intersections(both)
    with caplog.at_level(logging.WARNING):
        result = remove_self_intersections(both)
    assert 0 < self_intersections(result) <= before
    assert "still intersect" in caplog.text
