"""Rotations that tests make and measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.geometry.transforms import rotation_about


def random_rotation(rng: np.random.Generator, max_degrees: float = 180.0) -> NDArray[np.float64]:
    """4x4 rotation about a random axis by an angle uniform in 0..max_degrees."""
    axis = rng.normal(size=3)
    return rotation_about(axis, float(rng.uniform(0, max_degrees)))


def angle_degrees(matrix: NDArray) -> float:
    """Angle of the rotation in a rigid 4x4 or 3x3."""
    return float(np.degrees(Rotation.from_matrix(matrix[:3, :3]).magnitude()))
