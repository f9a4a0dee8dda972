"""What a mesher is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COARSEST = 2.5
"""Inside, edges grow to at most this many times the length of the surface's."""


class MesherRefused(RuntimeError):
    """A mesher could not fill this surface; another one may."""


@dataclass(frozen=True)
class Boundary:
    """points: [V, 3] float64 mm. faces: [F, 3]. inside, outside: [F] domain numbers from 1, behind and before each
    face; 0 is nothing. Faces between two domains are there once."""

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]


@dataclass(frozen=True)
class Filled:
    """nodes: [N, 3] mm, the first of them the boundary's where keeps_surface. tetrahedra: [T, 4], positive volume.

    domains: [T] domain numbers from 1.
    """

    nodes: NDArray[np.float64]
    tetrahedra: NDArray[np.int64]
    domains: NDArray[np.int64]
    mesher: str
    keeps_surface: bool


def one_domain(boundary: Boundary, mesher: str) -> None:
    if boundary.inside.max() > 1 or boundary.outside.max() > 0:
        raise MesherRefused(f"{mesher} is used for one structure at a time here; --join needs netgen")
