"""Radiographs drawn from their physics: soft tissue, bone, metal, the shape of the field, noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

STEEL_PER_MM, BONE_PER_MM, TISSUE_PER_MM = 0.9, 0.06, 0.02


def chord(distance: np.ndarray, radius: float) -> np.ndarray:
    """Length of a ray through a ball or across a cylinder, at a distance from its centre or axis."""
    return 2 * np.sqrt(np.clip(radius**2 - distance**2, 0, None))


def distance_to_line(
    rows: np.ndarray, columns: np.ndarray, start: tuple[float, float], end: tuple[float, float]
) -> np.ndarray:
    """From the line through two points (column, row)."""
    along = np.subtract(end, start) / np.linalg.norm(np.subtract(end, start))
    return np.abs((columns - start[0]) * -along[1] + (rows - start[1]) * along[0])


def thigh(
    shape: tuple[int, int] = (512, 512), mm_per_px: float = 0.45
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[rows, columns] attenuation of a thigh with its femur along the rows; and row, column of every pixel."""
    rows, columns = np.indices(shape).astype(float)
    across = (columns - shape[1] * 0.55) * mm_per_px
    bone = chord(across, 15.0) - chord(across, 9.0)
    return TISSUE_PER_MM * chord(across, 85.0) + (BONE_PER_MM - TISSUE_PER_MM) * bone, rows, columns


def detected(attenuation: np.ndarray, blur_px: float = 1.0, noise: float = 0.01) -> np.ndarray:
    """[rows, columns] float32 in 0..1: the transmitted beam, blurred, with noise that grows with its root."""
    beam = ndimage.gaussian_filter(np.exp(-attenuation), blur_px)
    random = np.random.default_rng(5)
    return np.clip(beam + noise * np.sqrt(beam) * random.standard_normal(beam.shape), 0, 1).astype(np.float32)
