"""Volumes whose every value is known from its place in the patient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from imaging.ramps import ramp_at
from mri2mesh.geometry.volume import Volume


@pytest.fixture
def ramp_volume() -> Callable[..., Volume]:
    """Makes a volume that holds `ramp_at` its voxel centres, for any matrix and [K, J, I] shape."""

    def make(matrix: np.ndarray, shape: tuple[int, int, int]) -> Volume:
        k, j, i = np.indices(shape)
        points = np.stack([i, j, k], axis=-1) @ matrix[:3, :3].T + matrix[:3, 3]
        return Volume(ramp_at(points).astype(np.float32), matrix)

    return make


@pytest.fixture
def sagittal_matrix() -> np.ndarray:
    """Slices 4 mm apart from right to left, tilted; in plane 0.7 x 0.8 mm; i runs back, j down."""
    axes = np.array([[0, 0, -1], [-1, 0, 0], [0, -1, 0]], dtype=float)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (4, -7, 5), degrees=True).as_matrix() @ axes * [0.7, 0.8, 4.0]
    matrix[:3, 3] = (25.0, 60.0, 80.0)
    return matrix
