"""A surface while its triangles are being changed: arrays that every step takes and gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh

FREE, RIM, CORNER = 0, 1, 2
"""What a vertex may do: go anywhere on the surface, go along its rim, stay."""


@dataclass(frozen=True)
class WorkingSurface:
    """points: [V, 3] float64 millimetres. faces: [F, 3]. zones: [F] zone number of each face.

    rims: [R, 2] edges that are kept, lower vertex first. corners: [V] vertices that never move.
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    zones: NDArray[np.int64]
    rims: NDArray[np.int64]
    corners: NDArray[np.bool_]

    def mesh(self) -> Mesh:
        """The surface alone, in the precision of a `Mesh`."""
        return Mesh(self.points.astype(np.float32), self.faces)

    def vertex_kinds(self) -> NDArray[np.int64]:
        """[V] FREE, RIM or CORNER: a rim that ends, forks or was marked makes a corner."""
        on_rim = np.bincount(self.rims.ravel(), minlength=len(self.points))
        kinds = np.where(on_rim == 0, FREE, np.where(on_rim == 2, RIM, CORNER))
        return np.where(self.corners, CORNER, kinds)

    def face_normals(self) -> NDArray[np.float64]:
        """[F, 3] normals, as long as twice the face's area."""
        return normals_of(self.points[self.faces])

    def compact(self) -> WorkingSurface:
        """Without vertices that no face uses."""
        used = np.zeros(len(self.points), bool)
        used[self.faces] = True
        number = np.cumsum(used) - 1
        return WorkingSurface(
            self.points[used],
            number[self.faces],
            self.zones,
            np.sort(number[self.rims], axis=1),
            self.corners[used],
        )


@dataclass(frozen=True)
class EdgeTable:
    """Every edge once. pairs: [E, 2], lower vertex first. of_face: [F, 3] the edge from corner k to corner k + 1.

    faces: [E, 2] the faces beside it, -1 where there is none. opposite: [E, 2] their third vertices. rim: [E].
    """

    pairs: NDArray[np.int64]
    of_face: NDArray[np.int64]
    faces: NDArray[np.int64]
    opposite: NDArray[np.int64]
    rim: NDArray[np.bool_]


def edge_table(surface: WorkingSurface) -> EdgeTable:
    """Raises ValueError where an edge has more than two faces."""
    faces, size = surface.faces, len(surface.points)
    pairs = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    keys, inverse = np.unique(pairs[:, 0] * size + pairs[:, 1], return_inverse=True)
    inverse = inverse.ravel()
    if np.bincount(inverse).max(initial=0) > 2:
        raise ValueError("an edge has more than two faces")
    beside = np.full((len(keys), 2), -1)
    opposite = np.full((len(keys), 2), -1)
    order = np.argsort(inverse, kind="stable")
    slot = np.zeros(len(order), np.int64)
    slot[1:] = inverse[order][1:] == inverse[order][:-1]
    beside[inverse[order], slot] = order // 3
    opposite[inverse[order], slot] = np.roll(faces, -2, axis=1).ravel()[order]
    rim = np.isin(keys, surface.rims[:, 0] * size + surface.rims[:, 1]) | (beside[:, 1] < 0)
    return EdgeTable(
        np.stack([keys // size, keys % size], axis=1), inverse.reshape(-1, 3), beside, opposite, rim
    )


def normals_of(corners: NDArray) -> NDArray[np.float64]:
    """[..., 3] normals of triangles [..., 3, 3], as long as twice their area."""
    return np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :])


def lengths(points: NDArray, pairs: NDArray) -> NDArray[np.float64]:
    """[E] lengths of the edges [E, 2]."""
    return np.linalg.norm(points[pairs[:, 1]] - points[pairs[:, 0]], axis=1)


def independent(groups: list[NDArray], size: int, priority: NDArray) -> NDArray[np.bool_]:
    """[N] which of N changes may be made together: each is first, by priority, at everything that it touches.

    groups: arrays [N] or [N, K] of what each change touches (numbers below size; negative ones are nothing).
    """
    order = np.argsort(priority, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    touched = np.concatenate([group.reshape(len(rank), -1) for group in groups], axis=1)
    best = np.full(size + 1, len(rank))
    np.minimum.at(best, np.where(touched < 0, size, touched), rank[:, None])
    best[size] = len(rank)
    return ((best[touched] == rank[:, None]) | (touched < 0)).all(axis=1)
