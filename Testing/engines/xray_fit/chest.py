"""A chest film drawn from its physics: what is none of the bones that have a shape model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

TISSUE_PER_MM, BONE_PER_MM = 0.02, 0.035


def chest(size: int, field_mm: float, seed: int = 0) -> NDArray[np.float32]:
    """[size, size] -log(I / I_max) over a square field: trunk, lungs, heart, diaphragm, spine, ribs, clavicles."""
    rng = np.random.default_rng(seed)
    down, across = (np.indices((size, size)) - (size - 1) / 2) * (field_mm / size)
    trunk = _chord(across / 165.0, 220.0)
    lungs = sum(_chord(np.hypot((across - side * 72) / 55, (down + 10) / 110), 150.0) for side in (-1, 1))
    heart = _chord(np.hypot((across - 25) / 60, (down - 45) / 55), 90.0)
    liver = np.clip((down - 70 - 0.2 * np.abs(across)) / 8, 0, 1) * 120.0
    soft = TISSUE_PER_MM * np.clip(trunk - 0.8 * lungs + 0.5 * heart + liver, 0, None)
    bone = _chord(across / 17.0, 25.0) * (1 + 0.25 * np.sign(np.sin(2 * np.pi * down / 28)))
    for number in range(10):
        top = -140 + 24 * number
        for front, drop in (
            (False, 18.0),
            (True, -30.0),
        ):  # they fall to the side behind, and on to the front
            middle = (
                top + drop * (np.abs(across) / 130) ** 2 * (1 if not front else -1) + (35 if front else 0)
            )
            bone += _chord((down - middle) / 5.0, 9.0) * (np.abs(across) < 135)
    for side in (-1, 1):
        clavicle = down + 135 - 0.25 * (side * across - 20)
        bone += _chord(clavicle / 6.0, 11.0) * (side * across > 15) * (side * across < 140)
    beam = ndimage.gaussian_filter(np.exp(-soft - BONE_PER_MM * bone), 0.6)
    beam += 0.5 * ndimage.gaussian_filter(beam, 40.0 * size / field_mm)
    counted = rng.poisson(2e4 * beam / beam.mean() * (field_mm / size) ** 2)
    return -np.log(np.maximum(counted, 0.5) / counted.max()).astype(np.float32)


def _chord(distance: NDArray, length: float) -> NDArray:
    """Of a rounded body this long along the beam at its middle; distance 1 is its edge."""
    return length * np.sqrt(np.clip(1 - np.square(distance), 0, None))
