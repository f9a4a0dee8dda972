"""How good triangles and tetrahedra are: edge lengths against the target, scaled Jacobians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.volume_mesh import TET_EDGES, signed_volumes

TOLERANCE = 0.3
"""An edge counts as right within 30% of the length wanted."""


@dataclass(frozen=True)
class EdgeFigures:
    """share_within_30_percent: of all edges. Lengths in millimetres."""

    share_within_30_percent: float
    shortest_mm: float
    median_mm: float
    longest_mm: float


def edge_figures(points: NDArray, edges: NDArray, wanted: NDArray | float) -> EdgeFigures:
    """points: [N, 3]. edges: [E, 2]. wanted: the length at each point [N] or everywhere, millimetres."""
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    target = np.broadcast_to(np.asarray(wanted, np.float64), len(points))[edges].mean(axis=1)
    right = np.abs(length / target - 1) <= TOLERANCE
    return EdgeFigures(
        float(right.mean()), float(length.min()), float(np.median(length)), float(length.max())
    )


def scaled_jacobians(nodes: NDArray, tetrahedra: NDArray) -> NDArray[np.float64]:
    """[T] 1 for a regular tetrahedron, 0 for a flat one, negative for an inverted one (Verdict; Stimpson 2007).

    Six volumes times the square root of 2, over the largest product of the three edges that meet in a corner.
    """
    corners = nodes[tetrahedra[:, :4]]
    edge = {pair: np.linalg.norm(corners[:, pair[0]] - corners[:, pair[1]], axis=1) for pair in TET_EDGES}
    products = [np.prod([edge[pair] for pair in TET_EDGES if corner in pair], axis=0) for corner in range(4)]
    return 6 * np.sqrt(2) * signed_volumes(nodes, tetrahedra) / np.maximum(np.max(products, axis=0), 1e-30)
