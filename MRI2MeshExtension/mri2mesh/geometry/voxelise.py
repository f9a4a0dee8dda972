"""Which voxels of a grid lie inside a closed surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume


def voxelise(mesh: Mesh, volume_grid: Volume) -> NDArray[np.bool_]:
    """[K, J, I] True where the voxel's centre lies inside the mesh; on oblique and left-handed grids too.

    The mesh is taken to voxel coordinates and each of its triangles is projected along one axis; every line
    of voxel centres it covers is crossed at one depth, and a centre is inside when the signed crossings
    before it (the winding number) do not cancel. Overlapping closed pieces count once. A line that meets an
    edge or a vertex exactly is given to the triangles there by a fixed rule, so that none leaks or counts
    twice.
    The mesh must be closed with consistent winding; the part outside the grid is ignored.
    """
    shape = np.array(volume_grid.array.shape[::-1])
    inside = np.zeros(volume_grid.array.shape, bool)
    if not len(mesh.faces):
        return inside
    ijk = volume_grid.ijk_from_ras(mesh.vertices.astype(np.float64))
    used = ijk[np.unique(mesh.faces)]
    low = np.maximum(np.ceil(used.min(axis=0)), 0).astype(int)
    high = np.minimum(np.floor(used.max(axis=0)), shape - 1).astype(int)
    size = high - low + 1
    if (size <= 0).any():
        return inside
    crop = inside[low[2] : high[2] + 1, low[1] : high[1] + 1, low[0] : high[0] + 1]
    depth = int(np.argmax(size))  # fewest lines: along the longest side
    across = [axis for axis in range(3) if axis != depth]
    corners = (ijk - low)[mesh.faces]
    rows, columns, depths, signs = _crossings(corners[:, :, across], corners[:, :, depth], size[across])
    first = np.maximum(np.ceil(depths), 0).astype(np.int64)  # the first centre at or beyond the crossing
    before_end = first < size[depth]
    rows, columns, first, signs = rows[before_end], columns[before_end], first[before_end], signs[before_end]
    flat = (rows * size[across[1]] + columns) * size[depth] + first
    n_voxels = int(size.prod())
    jumps = np.bincount(flat, weights=signs, minlength=n_voxels).astype(np.int16)
    winding = np.cumsum(jumps.reshape(size[across[0]], size[across[1]], size[depth]), axis=2, dtype=np.int16)
    order = np.argsort([*across, depth])  # back to (i, j, k) ...
    crop[...] = (winding != 0).transpose(order).transpose(2, 1, 0)  # ... and to [K, J, I]
    return inside


def _crossings(
    flat: NDArray, depth: NDArray, size: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Where lines through integer points (u, v) with 0 <= (u, v) < size meet triangles.

    flat: [F, 3, 2] corners in (u, v); depth: [F, 3]. Returns for each crossing u, v, its depth and +1 or -1,
    the turning sense of the triangle seen along the line.
    """
    low = np.maximum(np.ceil(flat.min(axis=1)), 0).astype(np.int64)
    high = np.minimum(np.floor(flat.max(axis=1)), size - 1).astype(np.int64)
    extent = np.maximum(high - low + 1, 0)
    count = extent.prod(axis=1)
    face = np.repeat(np.arange(len(flat)), count)
    within = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    u = low[face, 0] + within % np.maximum(extent[face, 0], 1)
    v = low[face, 1] + within // np.maximum(extent[face, 0], 1)

    sides = np.stack([_left_of(flat[face, i], flat[face, (i + 1) % 3], u, v) for i in range(3)], axis=1)
    hit = sides.all(axis=1) | ~sides.any(axis=1)
    face, u, v, sign = face[hit], u[hit], v[hit], np.where(sides[hit, 0], 1, -1)

    a, b, c = flat[face, 0], flat[face, 1], flat[face, 2]
    z = depth[face]
    area = _cross(b - a, c - a)
    point = np.stack([u, v], axis=1) - a
    along_b, along_c = _cross(point, c - a), _cross(b - a, point)
    with np.errstate(divide="ignore", invalid="ignore"):
        met = z[:, 0] + (along_b * (z[:, 1] - z[:, 0]) + along_c * (z[:, 2] - z[:, 0])) / area
    met = np.where(np.isfinite(met), met, z.mean(axis=1))  # seen edge-on: any depth on it will do
    return u, v, np.clip(met, z.min(axis=1), z.max(axis=1)), sign


def _cross(p: NDArray, q: NDArray) -> NDArray:
    return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]


def _left_of(start: NDArray, end: NDArray, u: NDArray, v: NDArray) -> NDArray[np.bool_]:
    """[N] whether (u, v) is left of the edge; for the two triangles of an edge the answers are opposite.

    The test is made on the edge in a fixed direction and turned round where needed, so that both triangles
    do the same arithmetic; on the edge itself the point counts as left of the fixed direction.
    """
    forward = (start[:, 0] < end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] < end[:, 1]))
    p, q = np.where(forward[:, None], start, end), np.where(forward[:, None], end, start)
    left = (q[:, 0] - p[:, 0]) * (v - p[:, 1]) - (q[:, 1] - p[:, 1]) * (u - p[:, 0]) >= 0
    return left == forward
