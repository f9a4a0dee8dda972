"""Labels on planes that are oblique to the voxels: which planes, and the labels resampled onto them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.segmentation.patch import Patch

LEAST_SHARE = 0.06
"""A plane that explains less of the labelled voxels than this is none."""
EXPLAINED = 0.9
MOST_PLANES = 16
TRIALS = 400
POINTS = 5000
THICK = 0.75
"""Half the thickness of a sheet, in voxels' largest sides: what a plane oblique to the voxels fills."""


@dataclass(frozen=True)
class Sheet:
    """One plane. frame: 4x4, from (u, w, across) in mm to RAS; its origin lies among the labels. thick_mm: of the
    sheet of voxels that it fills."""

    frame: NDArray[np.float64]
    thick_mm: float

    def distance(self, points: NDArray) -> NDArray[np.float64]:
        """[N] mm of points [N, 3] RAS across the plane."""
        return np.asarray((points - self.frame[:3, 3]) @ self.frame[:3, 2])

    def patch(self, bone: Patch) -> Patch | None:
        """The bone's labels on the plane as one slice, three by its axes across: empty, drawn, empty. None where the
        bone has none there."""
        centres = bone.ras_from_ijk(np.argwhere(bone.array)[:, ::-1])
        near = centres[np.abs(self.distance(centres)) <= self.thick_mm / 2]
        if len(near) < 4:
            return None
        step = float(bone.spacing.min())
        local = (near - self.frame[:3, 3]) @ self.frame[:3, :3]
        low = local[:, :2].min(axis=0) - 2 * step
        size = np.ceil((local[:, :2].max(axis=0) + 2 * step - low) / step).astype(int) + 1
        matrix = self.frame.copy()
        matrix[:3, :2] *= step
        matrix[:3, 2] *= self.thick_mm
        matrix[:3, 3] += self.frame[:3, :2] @ low - self.frame[:3, 2] * self.thick_mm
        array = np.zeros((3, size[1], size[0]), bool)
        grid = Patch(array, matrix)
        u, w = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        places = np.column_stack([u.ravel(), w.ravel(), np.ones(u.size)])
        array[1] = self._labelled(bone, grid.ras_from_ijk(places)).reshape(size[1], size[0])
        return Patch(array, matrix, size=np.array(array.shape[::-1])) if array.any() else None

    def _labelled(self, bone: Patch, points: NDArray) -> NDArray[np.bool_]:
        """[N] whether there is a label at points of the plane, looked for half a voxel to both sides too."""
        found = np.zeros(len(points), bool)
        for share in (-0.25, 0.0, 0.25):
            ijk = np.round(bone.ijk_from_ras(points + share * self.thick_mm * self.frame[:3, 2])).astype(int)
            inside = ((ijk >= 0) & (ijk < np.array(bone.array.shape[::-1]))).all(axis=1)
            i, j, k = ijk[inside].T
            found[inside] |= bone.array[k, j, i]
        return found


def find_sheets(bones: Sequence[Patch], seed: int = 0) -> list[Sheet]:
    """The planes that the labels lie on, the fullest first (random sample consensus, Fischler and Bolles 1981); none
    where planes do not explain them."""
    points = np.concatenate([bone.ras_from_ijk(np.argwhere(bone.array)[:, ::-1]) for bone in bones])
    thick = 2 * THICK * float(max(bone.spacing.max() for bone in bones))
    rng = np.random.default_rng(seed)
    left = points[rng.permutation(len(points))[:POINTS]]
    total, sheets = len(left), list[Sheet]()
    while len(left) > (1 - EXPLAINED) * total:
        sheet = _fullest(left, thick, rng)
        on = np.abs(sheet.distance(left)) <= thick / 2
        if on.sum() < LEAST_SHARE * total or len(sheets) == MOST_PLANES:
            return []
        sheets.append(sheet)
        left = left[~on]
    return sheets


def _fullest(points: NDArray, thick: float, rng: np.random.Generator) -> Sheet:
    best, most = None, -1
    for _ in range(TRIALS):
        a, b, c = points[rng.choice(len(points), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 25.0:  # mm2: three points in a row say nothing of a plane
            continue
        count = int((np.abs((points - a) @ normal) <= length * thick / 2).sum())
        if count > most:
            best, most = (a, normal / length), count
    middle, normal = best if best is not None else (points.mean(axis=0), np.array([0.0, 0.0, 1.0]))
    for _ in range(5):
        on = points[np.abs((points - middle) @ normal) <= thick / 2]
        if len(on) < 4:
            break
        middle = on.mean(axis=0)
        axes = np.linalg.svd(on - middle, full_matrices=False)[2]
        normal = axes[2]
    u = np.linalg.svd(normal[None])[2][1]
    frame = np.eye(4)
    frame[:3, :3] = np.stack([u, np.cross(normal, u), normal], axis=1)
    frame[:3, 3] = middle
    return Sheet(frame, thick)
