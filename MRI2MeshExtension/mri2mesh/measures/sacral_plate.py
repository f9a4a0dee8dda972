"""The upper endplate of S1 on a whole sacrum, which has no regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from mri2mesh.geometry.connectivity import vertex_adjacency
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.measures.vertebra import NotMeasurable

WIDE_MM = 10.0
"""Half of the width of the strip that stands for the plate: beyond it the plate goes over into wings and facets without
an edge, while in the middle the canal ends it."""
TURN_DEGREES = 33.0
"""Largest angle of a part of the plate with all of it."""


def sacral_plate(name: str, mesh: Mesh, middle: float) -> NDArray[np.int64]:
    """[F'] faces of the plate: from behind the promontory, as far as the surface turns no more than a little.

    middle: x of the mid-sagittal plane, mm. Raises NotMeasurable where there is no such place.
    """
    corner = mesh.vertices.astype(np.float64)[mesh.faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(normal, axis=1)
    unit = normal / np.maximum(area, 1e-12)[:, None]
    centre = corner.mean(axis=1)
    x, y, z = centre.T
    near = np.abs(x - middle) < WIDE_MM
    inner = np.abs(x - middle) < 6.0
    upper = z > z.min() + 0.55 * np.ptp(z)
    if not (inner & upper).any():
        raise NotMeasurable(f"{name} has no promontory")
    promontory = centre[inner & upper][y[inner & upper].argmax()]
    behind = promontory[1] - y
    start = (
        near & upper & inner & (behind > 4) & (behind < 24) & (z > promontory[2] - 12) & (unit[:, 2] > 0.35)
    )
    if not start.any():
        raise NotMeasurable(f"{name} has no upper endplate")
    plate = start
    for _ in range(4):
        mean = (normal[plate]).sum(axis=0)
        mean /= np.linalg.norm(mean)
        flat = near & upper & (unit @ mean > np.cos(np.radians(TURN_DEGREES)))
        level = np.median((centre[plate] - promontory) @ mean)
        flat &= np.abs((centre - promontory) @ mean - level) < 9.0
        plate = _connected(mesh, flat, start & flat)
        if not plate.any():
            raise NotMeasurable(f"{name} has no upper endplate")
    return np.flatnonzero(plate)


def _connected(mesh: Mesh, allowed: NDArray, start: NDArray) -> NDArray[np.bool_]:
    """[F] the allowed faces that hang together with most of those to start from."""
    piece = connected_components(vertex_adjacency(mesh.faces[allowed], len(mesh.vertices)), directed=False)[1]
    of_face = piece[mesh.faces[:, 0]]
    if not start.any():
        return start
    wanted = np.bincount(of_face[start]).argmax()
    return allowed & (of_face == wanted)
