"""How a surface departs from a template of the same faces, made smooth in places where it cannot be right.

The template has no folds, clefts or thin places, nor has it under a scaling: so the smoother the departure, the fewer
are left, and the shape stays what it was, which smoothing the surface itself would wear away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.connectivity import grow, neighbour_average, vertex_adjacency
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sizing import sized_fit

STEPS = 5


class Departure:
    """mesh and home: of the same faces. calm: home, placed and scaled as the mesh. departure: [V, 3] mm from there."""

    def __init__(self, mesh: Mesh, home: Mesh) -> None:
        fit = sized_fit(home.vertices.astype(np.float64), mesh.vertices.astype(np.float64))
        self.calm = home.transformed(fit).vertices.astype(np.float64)
        self.values = mesh.vertices.astype(np.float64) - self.calm
        self.adjacency = vertex_adjacency(mesh.faces, len(self.values))
        self.average = neighbour_average(mesh.faces, len(self.values))
        self._mesh = mesh

    def smooth(
        self, places: NDArray[np.bool_], round_: int, fixed: NDArray[np.bool_] | None = None
    ) -> NDArray:
        """Smooth around some vertices [V], wider and more from round to round (0, 1, ...); which vertices [V] moved.

        fixed: [V] vertices that stay.
        """
        free = grow(places, self.adjacency, 2 + round_)
        if fixed is not None:
            free &= ~fixed
        rows = self.average[free]
        for _ in range(STEPS * (1 + round_)):
            self.values[free] = rows @ self.values
        return free

    def mesh(self, share: float = 1.0) -> Mesh:
        """The surface, with a share of its departure."""
        return self._mesh.with_vertices(self.calm + share * self.values)
