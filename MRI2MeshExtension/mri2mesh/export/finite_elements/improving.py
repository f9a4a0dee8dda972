"""Nodes of the worst elements moved a little until these are good enough.

A mesher that keeps the surface it is given is left with flat elements where four nodes of the surface lie nearly in
one plane. A node inside may go anywhere; one on the surface only a small share of the edge length from its place, and a
little farther along the surface where that is not enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.quality import scaled_jacobians
from mri2mesh.export.finite_elements.working_surface import normals_of

GOAL = 0.13
"""Elements below this scaled Jacobian are worked on."""
ALONG_SURFACE = (0.08, 0.15, 0.25)
"""How far a node of the surface may go, as shares of the edge length: farther only where that leaves bad elements."""
OFF_SURFACE = 0.08
"""How far of that it may go at right angles to the surface."""
_SWEEPS = 30
_DIRECTIONS = 60


def improve(
    nodes: NDArray, tetrahedra: NDArray, surface: NDArray, edge_length_mm: float, seed: int = 0
) -> NDArray[np.float64]:
    """nodes [N, 3] with those around bad elements moved; the worst element of any neighbourhood only becomes better.

    surface: [S, 3] triangles of every surface, those between two structures once. The same seed gives the same nodes.
    """
    rng = np.random.default_rng(seed)
    start, normals = nodes.copy(), np.zeros_like(nodes)
    np.add.at(normals, surface, normals_of(nodes[surface])[:, None, :])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    on_surface = np.zeros(len(nodes), bool)
    on_surface[surface] = True
    star_order = np.argsort(tetrahedra.ravel(), kind="stable") // 4
    starts = np.searchsorted(np.sort(tetrahedra.ravel()), np.arange(len(nodes) + 1))
    for share in ALONG_SURFACE:
        reach = np.where(on_surface, share, 1.0) * edge_length_mm
        off = np.where(on_surface, OFF_SURFACE, 1.0) * edge_length_mm
        nodes = _swept(
            nodes, tetrahedra, _Room(start, normals, reach, off), star_order, starts, rng, edge_length_mm
        )
        if scaled_jacobians(nodes, tetrahedra).min() >= GOAL:
            break
    return nodes


@dataclass(frozen=True)
class _Room:
    """Where nodes may go: start and normals [N, 3], reach and off [N], millimetres in all and along the normal."""

    start: NDArray
    normals: NDArray
    reach: NDArray
    off: NDArray

    def confined(self, node: int, places: NDArray) -> NDArray[np.float64]:
        """[M, 3] the places, drawn in where they are out of a node's room."""
        offset = places - self.start[node]
        normal, off = self.normals[node], self.off[node]
        along = offset @ normal
        offset += (np.clip(along, -off, off) - along)[:, None] * normal
        far = np.linalg.norm(offset, axis=1)
        return self.start[node] + offset * np.minimum(1, self.reach[node] / np.maximum(far, 1e-30))[:, None]


def _swept(
    nodes: NDArray,
    tetrahedra: NDArray,
    room: _Room,
    star_order: NDArray,
    starts: NDArray,
    rng: np.random.Generator,
    edge_length_mm: float,
) -> NDArray[np.float64]:
    nodes = nodes.copy()
    for sweep in range(_SWEEPS):
        quality = scaled_jacobians(nodes, tetrahedra)
        bad = np.nonzero(quality < GOAL)[0]
        if not len(bad):
            break
        step = edge_length_mm * 0.5 ** (1 + sweep % 4)
        for node in np.unique(tetrahedra[bad]).tolist():
            star = tetrahedra[star_order[starts[node] : starts[node + 1]]]
            around = rng.normal(size=(_DIRECTIONS, 3))
            around *= (min(step, room.reach[node]) / np.linalg.norm(around, axis=1))[:, None]
            tries = np.concatenate([nodes[[node]], room.confined(node, nodes[node] + around)])
            scores = _worst(nodes, star, node, tries)
            best = int(scores.argmax())
            if scores[best] > scores[0] + 1e-6:
                nodes[node] = tries[best]
    return nodes


def _worst(nodes: NDArray, star: NDArray, node: int, tries: NDArray) -> NDArray[np.float64]:
    """[N] the smallest scaled Jacobian of the elements around a node, for each place tried."""
    corners = np.broadcast_to(nodes[star], (len(tries), *star.shape, 3)).copy()
    corners[:, star == node] = tries[:, None, :]
    flat = corners.reshape(-1, 3)
    numbers = np.arange(len(flat)).reshape(-1, 4)
    return scaled_jacobians(flat, numbers).reshape(len(tries), -1).min(axis=1)
