"""What lies over a film: hardware in the body, collimation, text and markers burnt into the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.synthesis.films.case import FilmCase

METAL_PER_MM = 0.25
"""Attenuation of steel or titanium beyond soft tissue's, about: enough to be opaque where it is thick."""


def metal_path(case: FilmCase, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] attenuation of one piece of hardware: nail, screws, hip stem with its head, wire, clips or clothing."""
    rows, columns = case.cortex.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    hips = case.camera.project(case.anchors_ras_mm)
    hip = hips[rng.integers(2)]
    per_mm = case.camera.source_to_detector_mm / case.camera.pixel_spacing_mm[0]
    per_mm /= float(np.linalg.norm(case.anchors_ras_mm.mean(axis=0) - case.camera.source_ras_mm))
    lateral = np.sign(hip[0] - hips.mean(axis=0)[0]) or 1.0
    kind = rng.choice(["nail", "stem", "screws", "wire", "clips", "button"])
    path = np.zeros((rows, columns), np.float32)
    neck = hip + np.array([lateral * 45, 45]) * per_mm

    def rod(a: NDArray, b: NDArray, radius_mm: float, fill: float = 1.0) -> None:
        path[:] = np.maximum(path, fill * rod_path(x, y, a, b, radius_mm * per_mm) / per_mm)

    if kind == "nail":
        rod(neck + rng.normal(0, 5, 2), neck + np.array([lateral * 5, 260]) * per_mm, rng.uniform(4.5, 6.5))
        rod(neck + np.array([lateral * 15, 15]) * per_mm, hip + rng.normal(0, 6, 2), rng.uniform(3, 5.5))
    elif kind == "stem":
        rod(hip, hip + np.array([lateral * 0.1, 0.1]), rng.uniform(12, 24))
        rod(hip, neck, rng.uniform(5, 8))
        rod(neck, neck + np.array([lateral * 8, 130]) * per_mm, rng.uniform(5, 9))
    elif kind == "screws":
        for _ in range(int(rng.integers(1, 5))):
            start = hip + rng.normal(0, 60, 2) * per_mm
            rod(start, start + rng.normal(0, 30, 2) * per_mm, rng.uniform(1.5, 3.5))
    elif kind == "wire":
        point, turn = rng.uniform(0, rows, 2), rng.uniform(0, 2 * np.pi)
        for _ in range(int(rng.integers(3, 14))):
            turn += rng.normal(0, 0.4)
            there = point + 22 * per_mm * np.array([np.cos(turn), np.sin(turn)])
            rod(point, there, rng.uniform(0.4, 1.2))
            point = there
    else:
        for _ in range(int(rng.integers(1, 12))):
            start = rng.uniform(0, rows, 2)
            length = 0.1 if kind == "button" else rng.uniform(2, 8)
            rod(
                start,
                start + rng.normal(0, 1, 2) * length * per_mm,
                rng.uniform(0.6, 6.0) if kind == "button" else 0.7,
            )
    return np.asarray(path * METAL_PER_MM * rng.uniform(0.5, 1.3), dtype=np.float32)


def rod_path(x: NDArray, y: NDArray, a: NDArray, b: NDArray, radius: float) -> NDArray[np.float32]:
    """[H, W] pixels through a round rod from a to b (column, row)."""
    ab = np.asarray(b - a, dtype=np.float32)
    t = np.clip(((x - a[0]) * ab[0] + (y - a[1]) * ab[1]) / max(float(ab @ ab), 1e-6), 0, 1)
    squared = (x - a[0] - t * ab[0]) ** 2 + (y - a[1] - t * ab[1]) ** 2
    return np.asarray(2 * np.sqrt(np.maximum(radius**2 - squared, 0)), dtype=np.float32)


def collimated(image: NDArray, round_field: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] with what the blades or the round intensifier hide set to one value, black, white or in between."""
    rows, columns = image.shape
    y, x = np.mgrid[0:rows, 0:columns]
    if round_field:
        radius = rng.uniform(0.48, 0.52) * rows
        shown = (x - (columns - 1) / 2) ** 2 + (y - (rows - 1) / 2) ** 2 < radius**2
    else:
        low, high = rng.uniform(0, 0.14, 2), 1 - rng.uniform(0, 0.14, 2)
        angle = np.radians(rng.normal(0, 2.0))
        u = (x / columns - 0.5) * np.cos(angle) - (y / rows - 0.5) * np.sin(angle) + 0.5
        v = (x / columns - 0.5) * np.sin(angle) + (y / rows - 0.5) * np.cos(angle) + 0.5
        shown = (u > low[0]) & (u < high[0]) & (v > low[1]) & (v < high[1])
    inside = image[shown]
    value = rng.choice([inside.min(), inside.max(), rng.uniform(inside.min(), inside.max())])
    hidden = value + rng.normal(0, 0.01 * (np.ptp(inside) + 1e-6)) if rng.random() < 0.5 else value
    return np.where(shown, image, hidden).astype(np.float32)


def burnt_in(image: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] with one to four pieces of something like text, side letters or scale bars, mostly near the border."""
    result, (rows, columns) = image.copy(), image.shape
    bright = float(result.max()) if rng.random() < 0.7 else float(result.min())
    for _ in range(int(rng.integers(1, 5))):
        height = max(3, int(rng.uniform(0.016, 0.055) * rows))
        width = int(height * 0.7)
        letters = int(rng.integers(1, 8))
        top = int(rng.choice([rng.integers(2, rows // 8), rng.integers(7 * rows // 8, rows - height)]))
        left = int(rng.integers(2, max(3, columns - letters * (width + 2) - 2)))
        for letter in range(letters):
            glyph = np.kron(rng.random((5, 4)) < 0.5, np.ones((3, 3)))
            sampled = glyph[np.ix_(np.arange(height) * 15 // height, np.arange(width) * 12 // width)] > 0
            column = left + letter * (width + 2)
            part = result[top : top + height, column : column + width]
            part[sampled[: part.shape[0], : part.shape[1]]] = bright
    return result
