"""A tissue map being painted: windows around structures, and the little morphology that is fast enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

Window = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Canvas:
    """tissues: [K, J, I] uint8, painted in place; grid: where it lies (axes along RAS)."""

    tissues: NDArray[np.uint8]
    grid: Volume

    def window(self, low: NDArray, high: NDArray, margin: float = 3.0) -> Window | None:
        """The part of the grid between two RAS corners and a margin in mm, or None where it lies outside."""
        first = np.floor(self.grid.ijk_from_ras(np.asarray(low) - margin)).astype(int)[::-1]
        last = np.ceil(self.grid.ijk_from_ras(np.asarray(high) + margin)).astype(int)[::-1] + 1
        first, last = np.clip(first, 0, self.tissues.shape), np.clip(last, 0, self.tissues.shape)
        if (last - first < 2).any():
            return None
        return slice(first[0], last[0]), slice(first[1], last[1]), slice(first[2], last[2])

    def window_of(self, mesh: Mesh, margin: float = 3.0) -> Window | None:
        """The window around a mesh."""
        return self.window(mesh.vertices.min(axis=0), mesh.vertices.max(axis=0), margin)

    def inside(self, mesh: Mesh, window: Window) -> NDArray[np.bool_]:
        """Which voxels of the window lie in the mesh."""
        matrix = self.grid.ijk_to_ras.copy()
        matrix[:3, 3] = self.grid.ras_from_ijk(np.array([s.start for s in window])[::-1])
        shape = tuple(s.stop - s.start for s in window)
        return voxelise(mesh, Volume(np.broadcast_to(np.zeros(1, bool), shape), matrix))

    def axes(self, window: Window) -> tuple[NDArray, NDArray, NDArray]:
        """RAS x [I], y [J] and z [K] of the window's voxel centres (float32)."""
        matrix = self.grid.ijk_to_ras
        x, y, z = (
            (matrix[a, 3] + matrix[a, a] * np.arange(s.start, s.stop)).astype(np.float32)
            for a, s in enumerate(reversed(window))
        )
        return x, y, z

    def local(self, window: Window, mask: NDArray[np.bool_], frame: NDArray) -> NDArray[np.float32]:
        """[N, 3] positions of the mask's voxels (in argwhere order) in a local frame given as 4x4 local to
        RAS."""
        k, j, i = np.nonzero(mask)
        x, y, z = self.axes(window)
        points = np.stack([x[i], y[j], z[k]], axis=1) - frame[:3, 3].astype(np.float32)
        return points @ frame[:3, :3].astype(np.float32)


def eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its voxels that touch the outside by a face; beyond the window counts as inside."""
    result = mask.copy()
    for axis in range(3):
        head = [slice(None)] * 3
        tail = [slice(None)] * 3
        head[axis], tail[axis] = slice(1, None), slice(None, -1)
        result[tuple(head)] &= mask[tuple(tail)]
        result[tuple(tail)] &= mask[tuple(head)]
    return result


def dilated(mask: NDArray[np.bool_], times: int = 1) -> NDArray[np.bool_]:
    """The mask and what touches it by a face, repeatedly."""
    outside = ~mask
    for _ in range(times):
        outside = eroded(outside)
    return ~outside
