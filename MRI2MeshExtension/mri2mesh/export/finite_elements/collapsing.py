"""Short edges drawn together into one vertex, where the surface stays what it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mri2mesh.export.finite_elements.splitting import TOO_LONG
from mri2mesh.export.finite_elements.working_surface import (
    CORNER,
    FREE,
    RIM,
    EdgeTable,
    WorkingSurface,
    edge_table,
    lengths,
    normals_of,
)

TOO_SHORT = 4 / 5
TINY = 0.25
"""An edge shorter than this share vanishes even where rims would keep it: nothing moves farther than its length."""
_ROUNDS = 8
_LEAST_AGREEMENT = 0.3
"""Cosine between a face's normal before and after: below it the surface would fold."""


def collapse_short_edges(surface: WorkingSurface, wanted: NDArray) -> tuple[WorkingSurface, NDArray]:
    """Edges shorter than `TOO_SHORT` times the length wanted at their ends ([V], mm) vanish; and wanted [V']."""
    for _ in range(_ROUNDS):
        table = edge_table(surface)
        short = np.nonzero(
            lengths(surface.points, table.pairs) < TOO_SHORT * wanted[table.pairs].mean(axis=1)
        )[0]
        keep, gone, place = _directions(surface, table, short, wanted)
        allowed = keep >= 0
        short, keep, gone, place = short[allowed], keep[allowed], gone[allowed], place[allowed]
        adjacency = _adjacency(surface, table)
        allowed = _link_condition(adjacency, table, short)
        allowed &= _stays_smooth(surface, wanted, keep, gone, place)
        short, keep, gone, place = short[allowed], keep[allowed], gone[allowed], place[allowed]
        if not len(short):
            break
        chosen = _apart(surface, table, short)
        surface, wanted = _merge(surface, wanted, keep[chosen], gone[chosen], place[chosen])
    return surface, wanted


def _directions(
    surface: WorkingSurface, table: EdgeTable, short: NDArray, wanted: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Which end stays (-1: neither may go), which goes, and where the one that stays is put."""
    kinds = surface.vertex_kinds()
    a, b = table.pairs[short].T
    lower = kinds[a] <= kinds[b]
    gone, keep = np.where(lower, a, b), np.where(lower, b, a)
    along = table.rim[short]
    tiny = lengths(surface.points, table.pairs[short]) < TINY * wanted[table.pairs[short]].mean(axis=1)
    may_go = (kinds[gone] == FREE) | ((kinds[gone] == RIM) & along) | tiny
    alike = (kinds[a] == kinds[b]) & (kinds[a] != CORNER)
    place = np.where(alike[:, None], surface.points[table.pairs[short]].mean(axis=1), surface.points[keep])
    return np.where(may_go, keep, -1), gone, place


def _adjacency(surface: WorkingSurface, table: EdgeTable) -> sparse.csr_matrix:
    a, b = table.pairs.T
    size, ones = len(surface.points), np.ones(len(a), np.int32)
    half = sparse.csr_matrix((ones, (a, b)), shape=(size, size))
    return (half + half.T).tocsr()


def _link_condition(adjacency: sparse.csr_matrix, table: EdgeTable, short: NDArray) -> NDArray[np.bool_]:
    """The ends have no neighbours in common but the third vertices of the faces beside their edge."""
    a, b = table.pairs[short].T
    common = np.asarray(adjacency[a].multiply(adjacency[b]).sum(axis=1)).ravel()
    return common == (table.faces[short] >= 0).sum(axis=1)


def _stays_smooth(
    surface: WorkingSurface, wanted: NDArray, keep: NDArray, gone: NDArray, place: NDArray
) -> NDArray[np.bool_]:
    """No face of either end turns over, and no edge becomes too long."""
    good = np.ones(len(keep), bool)
    corner_faces = np.argsort(surface.faces.ravel(), kind="stable") // 3
    starts = np.searchsorted(np.sort(surface.faces.ravel()), np.arange(len(surface.points) + 1))
    before_all = surface.face_normals()
    for end, other in ((gone, keep), (keep, gone)):
        count = starts[end + 1] - starts[end]
        which = np.repeat(np.arange(len(end)), count)
        offset = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        faces = corner_faces[starts[end][which] + offset]
        corners = surface.faces[faces]
        stays = ~(corners == other[which, None]).any(axis=1)
        which, faces, corners = which[stays], faces[stays], corners[stays]
        moved = corners == end[which, None]
        now = np.where(moved[..., None], place[which, None, :], surface.points[corners])
        before, after = before_all[faces], normals_of(now)
        agreement = (before * after).sum(axis=1)
        size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        reach = np.linalg.norm(now - place[which, None, :], axis=2)
        too_long = (reach > TOO_LONG * wanted[corners]).any(axis=1)
        np.logical_and.at(good, which, (agreement > _LEAST_AGREEMENT * size) & ~too_long)
    return good


def _apart(surface: WorkingSurface, table: EdgeTable, short: NDArray) -> NDArray[np.bool_]:
    """Short edges whose surroundings, two rings wide, no shorter chosen edge touches."""
    size = len(surface.points)
    ends = table.pairs[short]
    order = np.argsort(lengths(surface.points, ends), kind="stable")
    rank = np.empty(len(short))
    rank[order] = np.arange(len(short))
    best = np.full(size, np.inf)
    np.minimum.at(best, ends, rank[:, None])
    a, b = table.pairs.T
    for _ in range(2):
        wider = best.copy()
        np.minimum.at(wider, a, best[b])
        np.minimum.at(wider, b, best[a])
        best = wider
    return (best[ends] == rank[:, None]).all(axis=1)


def _merge(
    surface: WorkingSurface, wanted: NDArray, keep: NDArray, gone: NDArray, place: NDArray
) -> tuple[WorkingSurface, NDArray]:
    points, number = surface.points.copy(), np.arange(len(surface.points))
    points[keep] = place
    number[gone] = keep
    faces = number[surface.faces]
    whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    rims = np.sort(number[surface.rims], axis=1)
    rims = np.unique(rims[rims[:, 0] != rims[:, 1]], axis=0)
    used = np.zeros(len(points), bool)
    used[faces[whole]] = True
    merged = WorkingSurface(points, faces[whole], surface.zones[whole], rims, surface.corners)
    return merged.compact(), wanted[used]
