from __future__ import annotations

import numpy as np
import pytest

from geometry.solids import centres, grid, hand, oblique_grid, sphere
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.isosurface import surface_from_field, surface_from_labels
from mri2mesh.geometry.voxelise import voxelise


@pytest.mark.parametrize("left_handed", [False, True])
def test_the_surface_of_a_voxelised_solid_is_that_solid_in_ras(left_handed: bool) -> None:
    solid = hand()
    volume = grid(
        oblique_grid(left_handed, (0.6, 0.7, 0.8)), (30, 35, 40), tuple(solid.vertices.mean(axis=0))
    )
    mask = volume.with_array(voxelise(solid, volume).astype(np.uint8) * 22)
    mesh = surface_from_labels(mask)
    assert is_watertight(mesh)
    assert volume_mm3(mesh) == pytest.approx(volume_mm3(solid), rel=0.03)
    assert surface_distances(mesh, solid, n_samples=2000).assd < 0.2


def test_a_label_that_fills_the_grid_is_closed_at_its_edge() -> None:
    volume = grid(np.diag([1.0, 2.0, 3.0, 1.0]), (4, 5, 6))
    mesh = surface_from_labels(volume.with_array(np.ones((4, 5, 6), np.uint8)), smooth=0)
    assert is_watertight(mesh)
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), [6, 10, 12], atol=1e-4)


def test_smoothing_takes_the_steps_off_and_keeps_the_volume() -> None:
    ball = sphere(10, subdivisions=4)
    volume = grid(np.eye(4), (25, 25, 25))
    mask = volume.with_array(voxelise(ball, volume))
    rough, smooth = surface_from_labels(mask, smooth=0), surface_from_labels(mask)
    assert surface_distances(smooth, ball).assd < 0.5 * surface_distances(rough, ball).assd
    assert volume_mm3(smooth) == pytest.approx(volume_mm3(ball), rel=0.015)
    assert self_intersections(smooth) == 0


@pytest.mark.parametrize("inside", ["above", "below"])
def test_the_level_of_a_distance_field_is_the_sphere(inside: str) -> None:
    volume = grid(oblique_grid(True), (20, 30, 40))
    distance = np.linalg.norm(centres(volume), axis=1).reshape(volume.array.shape)
    field = distance if inside == "below" else -distance
    mesh = surface_from_field(volume.with_array(field), 9.0 if inside == "below" else -9.0, inside=inside)
    assert is_watertight(mesh) and volume_mm3(mesh) > 0
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), 9, atol=0.15)


def test_the_largest_piece_is_kept_when_asked() -> None:
    labels = np.zeros((10, 10, 20), np.uint8)
    labels[2:8, 2:8, 2:8] = 1
    labels[4:6, 4:6, 12:14] = 1
    volume = grid(np.eye(4), labels.shape).with_array(labels)
    assert volume_mm3(surface_from_labels(volume, largest=True)) < 216
    assert np.ptp(surface_from_labels(volume).vertices[:, 0]) > 10
    assert np.ptp(surface_from_labels(volume, largest=True).vertices[:, 0]) < 7


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        surface_from_labels(grid(np.eye(4), (3, 3, 3)))
    with pytest.raises(InputError, match="never"):
        surface_from_field(grid(np.eye(4), (3, 3, 3)), 1.0)
