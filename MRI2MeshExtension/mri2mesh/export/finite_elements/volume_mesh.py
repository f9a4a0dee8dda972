"""Tetrahedra with their sets: what every finite element format is written from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.coordinates import flip_ras_lps

TET_EDGES = ((0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3))
"""Corners between which nodes 5 to 10 of a quadratic tetrahedron lie: the order of VTK, Abaqus and FEBio."""
TRIANGLE_EDGES = ((0, 1), (1, 2), (2, 0))
TET_FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
"""Corners of each face, outward; in the order in which Abaqus numbers them, S1 to S4."""


@dataclass(frozen=True)
class VolumeMesh:
    """nodes: [N, 3] float64 millimetres, patient RAS (or the space of a file: `in_lps`).

    tetrahedra: [T, 4] or [T, 10] nodes, positive volume. domains: [T] index into names, the structure of each element.
    element_sets: name -> [E] elements; of the sets of one structure, those in ``parts`` cover it without overlap.
    surfaces: name -> [S, 3] or [S, 6] nodes of triangles, outward from the structure that the name begins with.
    node_data: name -> [N] numbers. shells: name -> triangles, like surfaces, that carry a thin cortex.
    """

    nodes: NDArray[np.float64]
    tetrahedra: NDArray[np.int64]
    domains: NDArray[np.int64]
    names: tuple[str, ...]
    element_sets: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    surfaces: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    node_data: dict[str, NDArray] = field(default_factory=dict)
    shells: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def quadratic(self) -> bool:
        return self.tetrahedra.shape[1] == 10

    def node_sets(self) -> dict[str, NDArray[np.int64]]:
        """The nodes of each surface, sorted."""
        return {name: np.unique(triangles) for name, triangles in self.surfaces.items()}

    def in_lps(self) -> VolumeMesh:
        """The same elements in LPS coordinates: turned, not mirrored, so orientations hold."""
        return replace(self, nodes=flip_ras_lps(self.nodes))


def set_name(text: str) -> str:
    """A name that every solver takes: capitals, digits and underscores; "L3-L4" becomes "L3_L4"."""
    return "".join(letter if letter.isalnum() else "_" for letter in text.upper())


def signed_volumes(nodes: NDArray, tetrahedra: NDArray) -> NDArray[np.float64]:
    """[T] mm3, positive where corner 4 lies on the side that corners 1, 2, 3 turn about counter-clockwise."""
    a, b, c, d = (nodes[tetrahedra[:, corner]] for corner in range(4))
    return np.einsum("ni,ni->n", np.cross(b - a, c - a), d - a) / 6


def with_quadratic_nodes(mesh: VolumeMesh) -> VolumeMesh:
    """A node in the middle of every edge. Edges stay straight: no element is worse than its linear one."""
    size = len(mesh.nodes)
    pairs = np.sort(mesh.tetrahedra[:, np.array(TET_EDGES)].reshape(-1, 2), axis=1)
    keys, inverse = np.unique(pairs[:, 0] * size + pairs[:, 1], return_inverse=True)
    first, second = keys // size, keys % size
    middles = (mesh.nodes[first] + mesh.nodes[second]) / 2
    tetrahedra = np.hstack([mesh.tetrahedra, size + inverse.reshape(-1, len(TET_EDGES))])

    def widen(triangles: NDArray) -> NDArray[np.int64]:
        sides = np.sort(triangles[:, np.array(TRIANGLE_EDGES)].reshape(-1, 2), axis=1)
        return np.hstack(
            [triangles, size + np.searchsorted(keys, sides[:, 0] * size + sides[:, 1]).reshape(-1, 3)]
        )

    def extend(values: NDArray) -> NDArray:
        if np.issubdtype(np.asarray(values).dtype, np.floating):
            return np.concatenate([values, ((values[first] + values[second]) / 2).astype(values.dtype)])
        return np.concatenate([values, values[first]])

    return replace(
        mesh,
        nodes=np.concatenate([mesh.nodes, middles]),
        tetrahedra=tetrahedra,
        surfaces={name: widen(triangles) for name, triangles in mesh.surfaces.items()},
        shells={name: widen(triangles) for name, triangles in mesh.shells.items()},
        node_data={name: extend(values) for name, values in mesh.node_data.items()},
    )
