"""Neighbouring bodies that were found in one another: how deep, and where to look again.

A millimetre or two is parted afterwards. More than that means that one of the two was placed or sized wrongly: pushing
the surfaces apart would tear them, so they are looked for again, and what stays deep is left as it is and marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.structures import disc_name
from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check

DEEP_MM = 3.0
"""Depth of an overlap from which both bodies are looked for again, and marked where it stays."""

SAME_PLACE_MM = 10.0
"""Depth of an overlap from which two surfaces are one body found twice: bodies are 20 to 30 mm tall."""


@dataclass(frozen=True)
class Overlap:
    """How deep two neighbouring bodies, by their names, stand in one another as they were found; 0 mm where apart."""

    upper: str
    lower: str
    depth_mm: float

    @property
    def same_place(self) -> bool:
        """Whether one body was found twice: the upper of the two is then left out."""
        return self.depth_mm > SAME_PLACE_MM

    @property
    def deep(self) -> bool:
        """Whether both stay but cannot be parted: pushing them out of one another would tear them."""
        return DEEP_MM < self.depth_mm <= SAME_PLACE_MM

    @property
    def left_as_found(self) -> frozenset[str]:
        """Names of what is not parted: both vertebrae and the disc that should be between them."""
        return frozenset((self.upper, self.lower, disc_name(self.upper)))

    @property
    def message(self) -> str | None:
        if self.same_place:
            return (
                f"{self.upper} was found in the same place as {self.lower} and is left out:"
                " the levels above may be wrong by one"
            )
        if self.deep:
            return (
                f"{self.upper} and {self.lower} were found {self.depth_mm:.0f} mm deep in one another"
                " and are left as they were found: look at both"
            )
        return None

    def check(self) -> Check:
        """Fails where the two were found deep in one another: at least one of them is wrong then."""
        detail = f"the bodies of {self.upper} and {self.lower} were found {self.depth_mm:.1f} mm deep in one another"
        return Check(
            "found apart",
            self.depth_mm,
            DEEP_MM,
            self.depth_mm <= DEEP_MM,
            detail,
            f"{self.upper}, {self.lower}",
        )


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
