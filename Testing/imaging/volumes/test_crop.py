"""Crops in a local frame: the right voxels, at the right place, with the right handedness."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.crop import CropGrid, extract_crop
from mri2mesh.imaging.volumes.grids import covering_grid

GRID = CropGrid(shape=(6, 8, 10), spacing=(2.0, 1.5, 1.0), lower=(-10.0, -6.0, -3.0))


def ramp_volume(matrix: np.ndarray, weights: np.ndarray) -> Volume:
    """Intensity is weights . RAS at every voxel: interpolation reproduces it exactly."""
    shape = (40, 44, 48)
    k, j, i = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    ras = np.stack([i, j, k], -1) @ matrix[:3, :3].T + matrix[:3, 3]
    return Volume((ras @ weights).astype(np.float32), matrix)


def local_points() -> np.ndarray:
    k, j, i = np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij")
    return np.stack([i, j, k], -1) @ GRID.ijk_to_local[:3, :3].T + GRID.ijk_to_local[:3, 3]


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_crop_of_a_ramp_has_the_ramp_s_value_at_every_local_point(mirrored):
    rotation = Rotation.from_euler("xyz", [20, -15, 35], degrees=True).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = rotation @ np.diag([-1.2 if mirrored else 1.2, 1.1, 0.9])
    matrix[:3, 3] = -matrix[:3, :3] @ np.array([24, 22, 20]) + [3, -2, 1]
    weights = np.array([1.0, 10.0, 100.0])  # a swap or a flip of axes cannot go unseen
    volume = ramp_volume(matrix, weights)
    frame = np.eye(4)
    frame[:3, :3] = Rotation.from_euler("zyx", [10, 5, -8], degrees=True).as_matrix()
    frame[:3, 3] = [2.0, -1.0, 0.5]
    crop, inside = extract_crop(torch.from_numpy(volume.array)[None], volume.ijk_to_ras, frame, GRID)
    expected = (local_points() @ frame[:3, :3].T + frame[:3, 3]) @ weights
    assert crop.shape == (1, *GRID.shape)
    assert bool((inside == 1).all())
    assert np.abs(crop[0].numpy() - expected).max() < 0.02


def test_outside_the_image_a_crop_is_zero_and_says_so():
    matrix = np.eye(4)
    volume = Volume(np.ones((10, 10, 10), np.float32), matrix)
    frame = np.eye(4)
    frame[:3, 3] = [9.0, 5.0, 5.0]  # the box sticks out on the right
    crop, inside = extract_crop(torch.ones(1, 10, 10, 10), volume.ijk_to_ras, frame, GRID)
    right = local_points()[..., 0] + 9.0 > 9.5
    assert bool((inside.numpy()[right] == 0).all())
    assert bool((crop[0].numpy()[right] == 0).all())
    assert inside.sum() > 0


def test_the_covering_grid_contains_every_corner_of_an_oblique_volume():
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", [30, 10, -40], degrees=True).as_matrix() @ np.diag(
        [4.0, 0.8, 0.8]
    )
    volume = Volume(np.zeros((50, 60, 12), np.float32), matrix)
    ijk_to_ras, shape = covering_grid(volume, 2.5)
    corners = np.array([[a, b, c] for a in (0, 11) for b in (0, 59) for c in (0, 49)])
    inside = (volume.ras_from_ijk(corners) - ijk_to_ras[:3, 3]) / 2.5
    assert (inside >= -0.51).all()
    assert (inside <= np.array(shape[::-1]) - 0.49).all()
