"""Neighbouring bodies that were found in one another: how deep, and where to look again.

A millimetre or two is parted afterwards. More than that means that one of the two was placed or sized wrongly: pushing
the surfaces apart would tear them, so they are looked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import body_of
from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.mesh import Mesh

DEEP_MM = 3.0
"""Depth of an overlap from which both bodies are looked for again, and marked where it stays."""

SAME_PLACE_MM = 10.0
"""Depth of an overlap from which two surfaces are one body found twice: bodies are 20 to 30 mm tall."""


def overlap_depths(vertebrae: Sequence[Mesh]) -> list[float]:
    """Depth in mm to which each body reaches into the next one of the sequence; 0 where they are apart.

    vertebrae: closed surfaces with regions, ordered along the spine.
    """
    bodies = [body_of(mesh) for mesh in vertebrae]
    return [max(_reach(a, b), _reach(b, a)) for a, b in pairwise(bodies)]


def _reach(mesh: Mesh, other: Mesh) -> float:
    # Two surfaces that nearly coincide lie nowhere deep in one another; the middle of each does.
    points = np.vstack([mesh.vertices, mesh.vertices.mean(axis=0)])
    low, high = other.vertices.min(axis=0), other.vertices.max(axis=0)
    near = points[((points > low) & (points < high)).all(axis=1)]
    return float(max(0.0, -signed_distance(near, other).min())) if len(near) else 0.0


def evened_frames(frames: Sequence[NDArray[np.float64]], which: set[int]) -> dict[int, NDArray[np.float64]]:
    """Frames (4x4 local to RAS) at these indices with the size of the others instead of their own, and in the middle
    between their neighbours along the spine where both are there.

    A size or a centre that was read wrongly from the image is what puts one body into another.
    """
    sizes = np.array([np.linalg.norm(frame[:3, :3], axis=0) for frame in frames])
    others = [n for n in range(len(frames)) if n not in which] or list(range(len(frames)))
    usual = np.median(sizes[others], axis=0)
    result = {}
    for n in which:
        frame = frames[n].copy()
        frame[:3, :3] *= usual / sizes[n]
        if 0 < n < len(frames) - 1:
            up = frame[:3, 2] / np.linalg.norm(frame[:3, 2])
            middle = (frames[n - 1][:3, 3] + frames[n + 1][:3, 3]) / 2
            frame[:3, 3] += up * float(up @ (middle - frame[:3, 3]))
        result[n] = frame
    return result
