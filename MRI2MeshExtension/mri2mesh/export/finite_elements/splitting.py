"""Edges cut in two, and the faces beside them with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.working_surface import EdgeTable, WorkingSurface, edge_table, lengths

TOO_LONG = 4 / 3
"""An edge this many times as long as wanted is cut: its halves are nearer to what is wanted than it is itself."""


def split_long_edges(surface: WorkingSurface, wanted: NDArray) -> WorkingSurface:
    """Edges longer than `TOO_LONG` times the length wanted at their ends ([V], millimetres) are cut in the middle."""
    table = edge_table(surface)
    long = lengths(surface.points, table.pairs) > TOO_LONG * wanted[table.pairs].mean(axis=1)
    return split_edges(surface, table, np.nonzero(long)[0], surface.points[table.pairs[long]].mean(axis=1))


def split_edges(surface: WorkingSurface, table: EdgeTable, cut: NDArray, places: NDArray) -> WorkingSurface:
    """The edges of the table numbered in cut [C] get a vertex at places [C, 3]; rims stay rims."""
    if not len(cut):
        return surface
    first_new = len(surface.points)
    points = np.concatenate([surface.points, places])
    middle_of = np.full(len(table.pairs), -1)
    middle_of[cut] = np.arange(len(cut)) + first_new
    middles = middle_of[table.of_face]
    counts = (middles >= 0).sum(axis=1)
    faces, zones = [surface.faces[counts == 0]], [surface.zones[counts == 0]]
    for count, parts in ((1, _halves), (2, _thirds), (3, _quarters)):
        chosen = counts == count
        if not chosen.any():
            continue
        corner, middle = _turned(surface.faces[chosen], middles[chosen], count)
        new = parts(corner, middle, points)
        faces.append(new.reshape(-1, 3))
        zones.append(np.repeat(surface.zones[chosen], count + 1))
    was_rim = table.rim[cut]
    ends, middle = table.pairs[cut][was_rim], middle_of[cut][was_rim, None]
    size = len(points)
    old = surface.rims[:, 0] * size + surface.rims[:, 1]
    kept = surface.rims[~np.isin(old, ends[:, 0] * size + ends[:, 1])]
    rims = np.concatenate([kept, np.hstack([ends[:, :1], middle]), np.hstack([ends[:, 1:], middle])])
    corners = np.concatenate([surface.corners, np.zeros(len(cut), bool)])
    return WorkingSurface(points, np.concatenate(faces), np.concatenate(zones), rims, corners)


def _turned(faces: NDArray, middles: NDArray, count: int) -> tuple[NDArray, NDArray]:
    """Faces turned so that the only edge cut is the first, or the only one not cut is the first."""
    odd = (middles >= 0) if count == 1 else (middles < 0)
    first = np.where(odd.any(axis=1), odd.argmax(axis=1), 0)
    turn = (first[:, None] + np.arange(3)) % 3
    return np.take_along_axis(faces, turn, 1), np.take_along_axis(middles, turn, 1)


def _halves(corner: NDArray, middle: NDArray, points: NDArray) -> NDArray:
    a, b, c = corner.T
    m = middle[:, 0]
    return np.stack([a, m, c, m, b, c], axis=1).reshape(-1, 2, 3)


def _thirds(corner: NDArray, middle: NDArray, points: NDArray) -> NDArray:
    """The corner cut off, and the quadrilateral left over divided along its shorter diagonal."""
    a, b, c = corner.T
    m, n = middle[:, 1], middle[:, 2]
    one = np.stack([m, c, n, a, b, m, a, m, n], axis=1)
    other = np.stack([m, c, n, a, b, n, b, m, n], axis=1)
    shorter = np.linalg.norm(points[a] - points[m], axis=1) <= np.linalg.norm(points[b] - points[n], axis=1)
    return np.where(shorter[:, None], one, other).reshape(-1, 3, 3)


def _quarters(corner: NDArray, middle: NDArray, points: NDArray) -> NDArray:
    a, b, c = corner.T
    m, n, o = middle.T
    return np.stack([a, m, o, m, b, n, n, c, o, m, n, o], axis=1).reshape(-1, 4, 3)
