"""Nodes of the worst elements moved a little until these are good enough.

A mesher that keeps the surface it is given is left with flat elements where four nodes of the surface lie nearly in
one plane. A node inside may go anywhere; one on the surface only a small share of the edge length from its place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.quality import scaled_jacobians

GOAL = 0.13
"""Elements below this scaled Jacobian are worked on."""
_SURFACE_SHARE = 0.08
"""How far a node of the surface may go, as a share of the edge length."""
_SWEEPS = 30
_DIRECTIONS = 60


def improve(
    nodes: NDArray, tetrahedra: NDArray, on_surface: NDArray, edge_length_mm: float, seed: int = 0
) -> NDArray[np.float64]:
    """nodes [N, 3] with those around bad elements moved; the worst element of any neighbourhood only becomes better.

    on_surface: [N] nodes that belong to a surface. The same seed gives the same nodes.
    """
    rng = np.random.default_rng(seed)
    nodes, start = nodes.copy(), nodes.copy()
    star_order = np.argsort(tetrahedra.ravel(), kind="stable") // 4
    starts = np.searchsorted(np.sort(tetrahedra.ravel()), np.arange(len(nodes) + 1))
    reach = np.where(on_surface, _SURFACE_SHARE, 1.0) * edge_length_mm
    for sweep in range(_SWEEPS):
        quality = scaled_jacobians(nodes, tetrahedra)
        bad = np.nonzero(quality < GOAL)[0]
        if not len(bad):
            break
        step = edge_length_mm * 0.5 ** (1 + sweep % 4)
        for node in np.unique(tetrahedra[bad]).tolist():
            star = tetrahedra[star_order[starts[node] : starts[node + 1]]]
            tries = _places(nodes[node], start[node], step, reach[node], rng)
            scores = _worst(nodes, star, node, tries)
            best = int(scores.argmax())
            if scores[best] > scores[0] + 1e-6:
                nodes[node] = tries[best]
    return nodes


def _places(
    now: NDArray, start: NDArray, step: float, reach: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """[N, 3] where to try: where it is first, then around, none farther from its start than it may go."""
    around = rng.normal(size=(_DIRECTIONS, 3))
    around *= (min(step, reach) / np.linalg.norm(around, axis=1))[:, None]
    offset = now + around - start
    far = np.linalg.norm(offset, axis=1)
    offset *= np.minimum(1, reach / np.maximum(far, 1e-30))[:, None]
    return np.concatenate([now[None], start + offset])


def _worst(nodes: NDArray, star: NDArray, node: int, tries: NDArray) -> NDArray[np.float64]:
    """[N] the smallest scaled Jacobian of the elements around a node, for each place tried."""
    corners = np.broadcast_to(nodes[star], (len(tries), *star.shape, 3)).copy()
    corners[:, star == node] = tries[:, None, :]
    flat = corners.reshape(-1, 3)
    numbers = np.arange(len(flat)).reshape(-1, 4)
    return scaled_jacobians(flat, numbers).reshape(len(tries), -1).min(axis=1)
