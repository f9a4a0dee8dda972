"""Which triangles meet: exact triangle-triangle tests, vectorised, over a uniform-grid broad phase.

Two closed triangles are convex, so they are apart exactly when some direction separates them, and it is
enough to try the normals, the cross products of edges and, for coplanar ones, the in-plane edge normals
(separating-axis theorem; Gottschalk 1996). Touching counts as meeting. Arithmetic is float64 on coordinates
taken relative to the pair, so the answer is exact but for gaps below about 1e-13 of the triangle size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-13
_CHUNK = 50_000


def self_intersecting_pairs(
    vertices: NDArray, faces: NDArray, involving: NDArray | None = None
) -> NDArray[np.int64]:
    """[P, 2] pairs of faces (lower index first) that meet anywhere but in what they share.

    vertices [V, 3], faces [F, 3]. Faces without a common vertex: any contact counts. Faces with one common
    vertex count when the edge of one opposite to it meets the other; with a common edge, when one lies folded
    flat onto the other; with the same three vertices, always.
    involving: optional [F] mask; only pairs with one of these faces are looked for.
    """
    faces = np.asarray(faces)
    corners = np.asarray(vertices, dtype=np.float64)[faces]
    if involving is None:
        pairs = _overlapping_boxes(corners, corners, same=True)
    else:
        chosen = np.flatnonzero(involving)
        pairs = _overlapping_boxes(corners[chosen], corners, same=False)
        pairs[:, 0] = chosen[pairs[:, 0]]
        seen_once = ~np.asarray(involving)[pairs[:, 1]] | (pairs[:, 0] < pairs[:, 1])
        pairs = np.sort(pairs[seen_once], axis=1)
    left, right = faces[pairs[:, 0]], faces[pairs[:, 1]]
    common = left[:, :, None] == right[:, None, :]  # [P, 3, 3]
    n_common = common.any(axis=2).sum(axis=1)

    hits = n_common >= 3
    apart = n_common == 0
    hits[apart] = triangles_meet(corners[pairs[apart, 0]], corners[pairs[apart, 1]])
    one = np.flatnonzero(n_common == 1)
    one = one[~_beside_the_vertex(corners[pairs[one, 0]], corners[pairs[one, 1]], common[one])]
    hits[one] = _fold_at_vertex(corners[pairs[one, 0]], corners[pairs[one, 1]], common[one])
    two = np.flatnonzero(n_common == 2)
    hits[two] = _fold_at_edge(corners[pairs[two, 0]], corners[pairs[two, 1]], common[two])
    return pairs[hits]


def triangles_meet(a: NDArray, b: NDArray) -> NDArray[np.bool_]:
    """[P] whether triangles a [P, 3, 3] and b [P, 3, 3] have a point in common.

    A triangle may be degenerate (a segment written with one end twice).
    """
    meet = np.zeros(len(a), bool)
    for start in range(0, len(a), _CHUNK):
        part = slice(start, start + _CHUNK)
        meet[part] = _meet(a[part], b[part])
    return meet


def _meet(a: NDArray, b: NDArray) -> NDArray[np.bool_]:
    origin = a[:, :1]
    a, b = a - origin, b - origin
    scale = np.maximum(np.abs(a).max(axis=(1, 2)), np.abs(b).max(axis=(1, 2)))
    left = np.arange(len(a))  # pairs no direction has separated yet

    def drop(axes: NDArray) -> None:
        nonlocal left
        along_a = np.einsum("pvc,pc->pv", a[left], axes)
        along_b = np.einsum("pvc,pc->pv", b[left], axes)
        gap = np.maximum(along_a.min(1) - along_b.max(1), along_b.min(1) - along_a.max(1))
        left = left[gap <= _ROUNDING * np.abs(axes).sum(1) * scale[left]]

    edges_a, edges_b = np.roll(a, -1, axis=1) - a, np.roll(b, -1, axis=1) - b
    normal_a = np.cross(edges_a[:, 0], edges_a[:, 1])
    normal_b = np.cross(edges_b[:, 0], edges_b[:, 1])
    drop(normal_a)
    drop(normal_b[left])
    for i in range(3):
        for j in range(3):
            drop(np.cross(edges_a[left, i], edges_b[left, j]))
    for i in range(3):  # separates coplanar triangles; harmless otherwise
        drop(np.cross(normal_a[left], edges_a[left, i]))
        drop(np.cross(normal_b[left], edges_b[left, i]))
        drop(np.cross(normal_a[left], edges_b[left, i]))
        drop(np.cross(normal_b[left], edges_a[left, i]))
    meet = np.zeros(len(a), bool)
    meet[left] = True
    return meet


def _beside_the_vertex(a: NDArray, b: NDArray, common: NDArray) -> NDArray[np.bool_]:
    """[P] triangles with one common vertex of which one lies, but for that vertex, on one side of the other's plane.

    They meet nowhere else then. It holds for most neighbours on a smooth surface, and costs little to find.
    """
    rows = np.arange(len(a))
    apex_a, apex_b = common.any(axis=2).argmax(axis=1), common.any(axis=1).argmax(axis=1)
    apex = a[rows, apex_a]
    to_a = [a[rows, (apex_a + n) % 3] - apex for n in (1, 2)]
    to_b = [b[rows, (apex_b + n) % 3] - apex for n in (1, 2)]
    beside = np.zeros(len(a), bool)
    for plane, others in ((to_a, to_b), (to_b, to_a)):
        normal = np.cross(*plane)
        heights = np.stack([np.einsum("pc,pc->p", normal, other) for other in others])
        scale = np.maximum(*(np.abs(other).max(axis=1) for other in others))
        limit = _ROUNDING * np.abs(normal).sum(axis=1) * scale
        beside |= (heights > limit).all(axis=0) | (heights < -limit).all(axis=0)
    return beside


def _fold_at_vertex(a: NDArray, b: NDArray, common: NDArray) -> NDArray[np.bool_]:
    """[P] triangles with one common vertex that meet elsewhere too.

    If they do, the common segment (or overlap) reaches the edge opposite the common vertex of one of them.
    """
    rows = np.arange(len(a))
    apex_a, apex_b = common.any(axis=2).argmax(axis=1), common.any(axis=1).argmax(axis=1)

    def opposite(triangles: NDArray, apex: NDArray) -> NDArray:
        first, second = triangles[rows, (apex + 1) % 3], triangles[rows, (apex + 2) % 3]
        return np.stack([first, second, second], axis=1)

    return triangles_meet(opposite(a, apex_a), b) | triangles_meet(opposite(b, apex_b), a)


def _fold_at_edge(a: NDArray, b: NDArray, common: NDArray) -> NDArray[np.bool_]:
    """[P] triangles with a common edge that lie flat on each other (dihedral angle zero)."""
    rows = np.arange(len(a))
    free_a = (~common.any(axis=2)).argmax(axis=1)
    free_b = (~common.any(axis=1)).argmax(axis=1)
    start = a[rows, (free_a + 1) % 3]
    edge = a[rows, (free_a + 2) % 3] - start
    normal_a = np.cross(edge, a[rows, free_a] - start)
    normal_b = np.cross(edge, b[rows, free_b] - start)
    same_side = np.einsum("pc,pc->p", normal_a, normal_b)
    sizes = np.linalg.norm(normal_a, axis=1) * np.linalg.norm(normal_b, axis=1)
    sine = np.linalg.norm(np.cross(normal_a, normal_b), axis=1)
    return (same_side > 0) & (sine <= 1e-9 * sizes)


def _overlapping_boxes(a: NDArray, b: NDArray, same: bool) -> NDArray[np.int64]:
    """[P, 2] pairs of triangles of a [A, 3, 3] and b [B, 3, 3] whose boxes touch; i < j where same."""
    none = np.zeros((0, 2), np.int64)
    if not len(a) or not len(b):
        return none
    low_a, high_a, low_b, high_b = a.min(1), a.max(1), b.min(1), b.max(1)
    origin = np.maximum(low_a.min(0), low_b.min(0))
    corner = np.minimum(high_a.max(0), high_b.max(0))
    if (origin > corner).any():
        return none
    index_a = np.flatnonzero(((high_a >= origin) & (low_a <= corner)).all(1))
    index_b = index_a if same else np.flatnonzero(((high_b >= origin) & (low_b <= corner)).all(1))
    if not len(index_a) or not len(index_b):
        return none
    low_a, high_a, low_b, high_b = low_a[index_a], high_a[index_a], low_b[index_b], high_b[index_b]

    cell = _cell_size(np.concatenate([high_a - low_a, high_b - low_b]), corner - origin)
    shape = np.floor((corner - origin) / cell).astype(np.int64) + 1

    def cells_of(low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
        """(box, flat cell) for every cell each box touches."""
        first = np.clip(np.floor((low - origin) / cell).astype(np.int64), 0, shape - 1)
        last = np.clip(np.floor((high - origin) / cell).astype(np.int64), 0, shape - 1)
        extent = last - first + 1
        count = extent.prod(axis=1)
        box = np.repeat(np.arange(len(low)), count)
        within = np.arange(len(box)) - np.repeat(np.cumsum(count) - count, count)
        x, rest = within % extent[box, 0], within // extent[box, 0]
        y, z = rest % extent[box, 1], rest // extent[box, 1]
        where = first[box] + np.stack([x, y, z], axis=1)
        return box, (where[:, 2] * shape[1] + where[:, 1]) * shape[0] + where[:, 0]

    box_a, cell_a = cells_of(low_a, high_a)
    box_b, cell_b = (box_a, cell_a) if same else cells_of(low_b, high_b)
    order = np.argsort(cell_b, kind="stable")
    box_b, cell_b = box_b[order], cell_b[order]
    begin, end = np.searchsorted(cell_b, cell_a, "left"), np.searchsorted(cell_b, cell_a, "right")
    count = end - begin
    found = []
    budget = np.cumsum(count)
    start = 0
    while start < len(count):  # in parts, so that a crowded cell costs time and not memory
        before = budget[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(budget, before + 4_000_000, "right")))
        part = slice(start, stop)
        row = np.repeat(np.arange(start, stop), count[part])
        within = np.arange(len(row)) - np.repeat(budget[part] - count[part] - before, count[part])
        i, j = box_a[row], box_b[begin[row] + within]
        home = cell_a[row]
        start = stop
        if same:
            ahead = i < j
            i, j, home = i[ahead], j[ahead], home[ahead]
        touch = ((low_a[i] <= high_b[j]) & (low_b[j] <= high_a[i])).all(1)
        i, j, home = i[touch], j[touch], home[touch]
        # a pair met in several cells is kept in one: that of the low corner of the boxes' overlap
        where = np.floor((np.maximum(low_a[i], low_b[j]) - origin) / cell).astype(np.int64)
        where = np.clip(where, 0, shape - 1)
        once = (where[:, 2] * shape[1] + where[:, 1]) * shape[0] + where[:, 0] == home
        found.append(np.stack([index_a[i[once]], index_b[j[once]]], axis=1))
    return np.concatenate(found) if found else none


def _cell_size(sizes: NDArray, extent: NDArray) -> float:
    """Edge of the grid's cells: about a typical box, larger where many boxes would fill too many cells."""
    cell = max(float(np.median(sizes.max(axis=1))) * 1.2, float(extent.max()) / 500, 1e-9)
    for _ in range(60):
        if (np.floor(sizes / cell) + 2).prod(axis=1).sum() <= 30.0 * len(sizes):
            break
        cell *= 1.3
    return cell
