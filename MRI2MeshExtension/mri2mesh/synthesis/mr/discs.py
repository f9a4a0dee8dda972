"""Discs: annulus, nucleus, and how far each is degenerated."""

from __future__ import annotations

import numpy as np

from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.synthesis.mr.canvas import Canvas, dilated
from mri2mesh.synthesis.mr.tissues import Tissue

NUCLEI = (Tissue.NUCLEUS, Tissue.NUCLEUS_MODERATE, Tissue.NUCLEUS_DEGENERATED)


def paint_disc(
    canvas: Canvas, spine: SpineSample, name: str, rng: np.random.Generator, degeneration: float
) -> None:
    """Paint one disc; degeneration 0 (bright nucleus, thin annulus) to 1 (dark throughout). Bones go over
    it."""
    mesh = spine.structures[name]
    window = canvas.window_of(mesh)
    if window is None:
        return
    inside = canvas.inside(mesh, window)
    if not inside.any():
        return
    tissues = canvas.tissues[window]
    # The hyaline cartilage of the endplates fills the slit between the disc's surface and the bone.
    slit = dilated(inside) & ~inside
    points = canvas.local(window, slit, spine.frames[name])
    tissues[slit] = np.where(np.abs(points[:, 2]) > 1.5, Tissue.CARTILAGE, tissues[slit])

    points = canvas.local(window, inside, spine.frames[name])
    half = np.percentile(np.abs(points), 98, axis=0) + 0.5
    shift = rng.normal(-0.05, 0.05)
    radial = np.sqrt((points[:, 0] / half[0]) ** 2 + (points[:, 1] / half[1] - shift) ** 2)
    # A little waviness, so that the nucleus is not a perfect ellipse.
    angle = np.arctan2(points[:, 1], points[:, 0])
    radial += 0.05 * np.sin(2 * angle + rng.uniform(0, 6.3)) + 0.04 * np.sin(3 * angle + rng.uniform(0, 6.3))
    # Dithered, so that after the blur of the scan nucleus and annulus grade into each other.
    radial += rng.uniform(0.02, 0.1) * rng.standard_normal(len(points))
    height = np.abs(points[:, 2] - rng.normal(0, 0.3)) / half[2]
    size = rng.uniform(0.55, 0.8) - 0.1 * degeneration
    values = np.full(len(points), Tissue.ANNULUS_OUTER, np.uint8)
    values[radial < size + rng.uniform(0.1, 0.2)] = Tissue.ANNULUS_INNER
    grade = int(np.clip(degeneration * 3, 0, 2))
    nucleus = (radial < size) & (height < rng.uniform(0.75, 1.0))
    values[nucleus] = NUCLEI[grade]
    if rng.random() < 0.4:  # the intranuclear cleft of adults
        values[nucleus & (np.abs(points[:, 2]) < rng.uniform(0.4, 0.9))] = NUCLEI[min(grade + 1, 2)]
    if grade < 2 and rng.random() < 0.15:  # an annular fissure, bright, at the back
        where = points[rng.integers(len(points))] * np.array([0.5, 0, 0.3])
        where[1] = -0.9 * half[1]
        values[np.linalg.norm((points - where) / np.array([4, 1.5, 1.2]), axis=1) < 1] = Tissue.NUCLEUS
    tissues[inside] = values
