"""Points that a measure is taken from, each a weighted mean of vertices of one surface.

So every measure is a function of points that move with the surface: what is said of vertices, their uncertainty and
how far the image shows them, is passed on to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Points:
    """structure: name of the surface. vertices: [K, N] indices. weights: [K, N], each row adds up to 1."""

    structure: str
    vertices: NDArray[np.int64]
    weights: NDArray[np.float64]

    def of(self, positions: NDArray) -> NDArray[np.float64]:
        """[..., V, 3] positions of the structure's vertices to the [..., K, 3] points."""
        return np.einsum(
            "kn,...knc->...kc", self.weights, np.asarray(positions, float)[..., self.vertices, :]
        )

    def least_of(self, values: NDArray) -> float:
        """Of one value per vertex [V]: the smaller one of the two ends of a distance, the mean of a patch."""
        there = (self.weights * np.asarray(values, float)[self.vertices]).sum(axis=1)
        return float(there.min() if len(there) <= 2 else there.mean())

    def taking(self, which: ArrayLike) -> Points:
        """Some of the points, by index or mask."""
        chosen = np.atleast_1d(np.asarray(which))
        return Points(self.structure, self.vertices[chosen], self.weights[chosen])

    def followed_by(self, other: Points) -> Points:
        """Both, of the same structure."""
        width = max(self.vertices.shape[1], other.vertices.shape[1])
        both = [_padded(one, width) for one in (self, other)]
        return Points(
            self.structure,
            np.concatenate([one.vertices for one in both]),
            np.concatenate([one.weights for one in both]),
        )


def at_vertices(structure: str, indices: ArrayLike) -> Points:
    """Each a vertex itself."""
    chosen = np.atleast_1d(np.asarray(indices, dtype=np.int64))
    return Points(structure, chosen[:, None], np.ones((len(chosen), 1)))


def mean_point(structure: str, indices: ArrayLike, weights: ArrayLike | None = None) -> Points:
    """One point, the mean of vertices. weights: [N], in any scale; all the same by default."""
    chosen = np.asarray(indices, dtype=np.int64)
    given = np.ones(len(chosen)) if weights is None else np.asarray(weights, dtype=np.float64)
    return Points(structure, chosen[None], (given / given.sum())[None])


def between(a: Points, b: Points, share: ArrayLike) -> Points:
    """Points of a moved towards those of b by a share of the way, 0 to 1, each its own or all the same."""
    t = np.broadcast_to(np.asarray(share, dtype=np.float64), (len(a.vertices),))[:, None]
    return Points(
        a.structure,
        np.concatenate([a.vertices, b.vertices], axis=1),
        np.concatenate([(1 - t) * a.weights, t * b.weights], axis=1),
    )


def _padded(points: Points, width: int) -> Points:
    more = width - points.vertices.shape[1]
    return Points(
        points.structure,
        np.pad(points.vertices, ((0, 0), (0, more))),
        np.pad(points.weights, ((0, 0), (0, more))),
    )
