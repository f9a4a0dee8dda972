"""A ramp in patient space: every value says where it is."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

GRADIENT = np.array([3.0, -2.0, 0.7])


def oblique_matrix(spacing: tuple[float, float, float], angles_deg: tuple[float, float, float]) -> np.ndarray:
    """4x4 with rotated axes and an origin off zero."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix() * np.asarray(spacing)
    matrix[:3, 3] = (-31.0, 12.5, 40.0)
    return matrix


def ramp_at(points: np.ndarray) -> np.ndarray:
    """[..., 3] millimetres in RAS to a value that differs along each axis and each direction."""
    return points @ GRADIENT + 500
