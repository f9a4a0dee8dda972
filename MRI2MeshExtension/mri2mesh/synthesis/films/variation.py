"""Shapes beyond those of the subjects: blends, smooth deformation, other sizes, bony growths. All bounded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LENGTHS_MM = (70.0, 35.0, 16.0)
_AMOUNTS_MM = (1.8, 1.0, 0.35)
"""Root mean square of the smooth displacement by wavelength / 2 pi: what left-out subjects lack in the models is 1 to
2.5 mm."""
_WAVES = 10
_SIZE_SD, _PROPORTION_SD = 0.05, 0.02


def blended(shapes: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """[V, 3] a mixture of up to three of the shapes [S, V, 3], a little beyond their mean at times."""
    chosen = rng.choice(len(shapes), size=min(3, len(shapes)), replace=False)
    shares = rng.dirichlet(np.full(len(chosen), 0.6))
    mixed = np.tensordot(shares, shapes[chosen].astype(np.float64), axes=1)
    away = rng.uniform(0.9, 1.25)
    mean = shapes[rng.choice(len(shapes), size=min(6, len(shapes)), replace=False)].mean(axis=0)
    return np.asarray(mean + away * (mixed - mean)) if rng.random() < 0.5 else mixed


def deformed(vertices: NDArray, rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.float64]:
    """[V, 3] moved by a smooth random field, then stretched; strength 0 only stretches."""
    vertices = np.asarray(vertices, dtype=np.float32)
    moved = np.zeros_like(vertices)
    for length, amount in zip(_LENGTHS_MM, _AMOUNTS_MM, strict=True):
        waves = rng.standard_normal((3, _WAVES)).astype(np.float32) / length
        phases = rng.uniform(0, 2 * np.pi, _WAVES).astype(np.float32)
        size = amount * strength * rng.uniform(0.2, 1.3)
        amounts = rng.standard_normal((_WAVES, 3)) * size * np.sqrt(2 / _WAVES)
        moved += np.cos(vertices @ waves + phases) @ amounts.astype(np.float32)
    stretch = np.exp(
        _SIZE_SD * np.clip(rng.standard_normal(), -2.5, 2.5)
        + _PROPORTION_SD * np.clip(rng.standard_normal(3), -2, 2)
    )
    return np.asarray((vertices + moved) * stretch, dtype=np.float64)


def with_growths(
    vertices: NDArray, normals: NDArray, near: NDArray, rng: np.random.Generator
) -> NDArray[np.float64]:
    """[V, 3] with up to six osteophytes, 1 to 5 mm high and some 5 mm wide, within 40 mm of the point near [3]."""
    result = np.array(vertices, dtype=np.float64)
    candidates = np.flatnonzero(np.linalg.norm(vertices - near, axis=1) < 40.0)
    for row in rng.choice(candidates, size=int(rng.integers(1, 7))) if len(candidates) else ():
        distance = np.linalg.norm(vertices - vertices[row], axis=1)
        height = rng.uniform(1.0, 5.0) * np.exp(-((distance / rng.uniform(3.0, 7.0)) ** 2))
        result += height[:, None] * normals
    return result
