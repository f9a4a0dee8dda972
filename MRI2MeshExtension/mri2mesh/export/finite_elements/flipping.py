"""Edges turned inside the two faces beside them, where that makes neighbourhoods more regular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.working_surface import (
    EdgeTable,
    WorkingSurface,
    edge_table,
    independent,
    lengths,
    normals_of,
)

_ROUNDS = 6
_REGULAR = 6
"""Edges at a vertex of the regular triangle lattice."""
_LENGTH_WEIGHT = 4.0
_LEAST_AGREEMENT = 0.5


def flip_edges(surface: WorkingSurface, wanted: NDArray) -> WorkingSurface:
    """Flips where vertices come nearer to six edges, or edges nearer to the length wanted ([V], mm); never a rim."""
    for _ in range(_ROUNDS):
        table = edge_table(surface)
        movable = np.nonzero(~table.rim)[0]
        movable = movable[_is_possible(surface, table, movable)]
        gain = _gain(surface, table, movable, wanted)
        better = gain > 1e-9
        movable, gain = movable[better], gain[better]
        if not len(movable):
            break
        chosen = movable[
            independent([table.pairs[movable], table.opposite[movable]], len(surface.points), -gain)
        ]
        surface = _flip(surface, table, chosen)
    return surface


def _is_possible(surface: WorkingSurface, table: EdgeTable, which: NDArray) -> NDArray[np.bool_]:
    """The new edge is not there already, and both new faces look the way the old ones do."""
    c, d = table.opposite[which].T
    size = len(surface.points)
    new = np.minimum(c, d) * size + np.maximum(c, d)
    possible = (c != d) & ~np.isin(new, table.pairs[:, 0] * size + table.pairs[:, 1])
    before = surface.face_normals()[table.faces[which]]
    after = normals_of(surface.points[_new_faces(surface, table, which)])
    unit = lambda n: n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-30)  # noqa: E731
    agreement = np.einsum("nai,nbi->nab", unit(before), unit(after)).min(axis=(1, 2))
    return possible & (agreement > _LEAST_AGREEMENT)


def _new_faces(surface: WorkingSurface, table: EdgeTable, which: NDArray) -> NDArray:
    """[N, 2, 3] the two faces after the flip, wound as those before."""
    a, b = table.pairs[which].T
    c, d = table.opposite[which].T
    first = surface.faces[table.faces[which, 0]]
    at = (first == a[:, None]).argmax(axis=1)
    forward = (
        np.take_along_axis(first, ((at + 1) % 3)[:, None], 1)[:, 0] == b
    )  # the first face runs from a to b
    a, b = np.where(forward, a, b), np.where(forward, b, a)
    return np.stack([np.stack([c, a, d], axis=1), np.stack([d, b, c], axis=1)], axis=1)


def _gain(surface: WorkingSurface, table: EdgeTable, which: NDArray, wanted: NDArray) -> NDArray:
    """How much nearer to regular: squared excess of edges, and squared relative error of the length."""
    excess = np.bincount(table.pairs.ravel(), minlength=len(surface.points)) - _REGULAR
    on_border = np.unique(table.pairs[table.faces[:, 1] < 0])
    excess[on_border] += 2
    a, b = table.pairs[which].T
    c, d = table.opposite[which].T
    valence = 2.0 * (excess[a] + excess[b] - excess[c] - excess[d] - 2)
    error = lambda pairs: (lengths(surface.points, pairs) / wanted[pairs].mean(axis=1) - 1) ** 2  # noqa: E731
    return valence + _LENGTH_WEIGHT * (error(table.pairs[which]) - error(table.opposite[which]))


def _flip(surface: WorkingSurface, table: EdgeTable, which: NDArray) -> WorkingSurface:
    faces = surface.faces.copy()
    faces[table.faces[which]] = _new_faces(surface, table, which)
    return WorkingSurface(surface.points, faces, surface.zones, surface.rims, surface.corners)
