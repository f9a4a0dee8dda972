"""What labels say about a surface, in the form that every step of a fit uses: points of it, and how far each is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack


@dataclass(frozen=True)
class Observations:
    """N points on a surface of V vertices, and how far each would have to move.

    points: [N, V] sparse, the weights of the vertices that make each point; rows sum to 1. direction: [N, 3] unit
    vectors. offset: [N] mm that the point would have to move along its direction. weight: [N] 0..1, how far to believe
    it.
    """

    points: csr_matrix
    direction: NDArray[np.float64]
    offset: NDArray[np.float64]
    weight: NDArray[np.float64]

    def joined(self, other: Observations) -> Observations:
        """Both."""
        return Observations(
            vstack([self.points, other.points]).tocsr(),
            np.concatenate([self.direction, other.direction]),
            np.concatenate([self.offset, other.offset]),
            np.concatenate([self.weight, other.weight]),
        )


class Evidence(Protocol):
    """The labels of one bone.

    ``outline``: [N, 3] points, RAS mm, that its surface passes through, as even as they come.
    """

    outline: NDArray[np.float64]

    def observe(self, vertices: NDArray, faces: NDArray, used: NDArray, spread: float) -> Observations:
        """How far a surface of vertices [V, 3] is from the labels. used: [V] bool, the vertices that the labels can
        say anything about. spread: mm that surface and labels are apart as a rule: farther pairs count less."""

    def covers(self, vertices: NDArray, normals: NDArray) -> NDArray[np.float64]:
        """[N] 0..1 how far the labels, and not the prior, say where a surface passes at these points."""


class Together:
    """Evidence of one bone from several sets of slices."""

    def __init__(self, parts: Sequence[Evidence]) -> None:
        self.parts = parts
        self.outline = np.concatenate([one.outline for one in parts])

    def observe(self, vertices: NDArray, faces: NDArray, used: NDArray, spread: float) -> Observations:
        first, *others = (one.observe(vertices, faces, used, spread) for one in self.parts)
        for other in others:
            first = first.joined(other)
        return first

    def covers(self, vertices: NDArray, normals: NDArray) -> NDArray[np.float64]:
        return np.max([one.covers(vertices, normals) for one in self.parts], axis=0)


def robust(distance: NDArray, spread: float) -> NDArray[np.float64]:
    """[N] weights of Geman and McClure (1985): 1 for pairs that are near, near 0 beyond some three spreads."""
    return np.asarray(1.0 / (1.0 + (distance / (3.0 * spread)) ** 2) ** 2)


def selection(vertex: NDArray, n_vertices: int) -> csr_matrix:
    """[N, V] rows that each pick one vertex."""
    return csr_matrix((np.ones(len(vertex)), (np.arange(len(vertex)), vertex)), (len(vertex), n_vertices))
