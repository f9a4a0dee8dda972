"""Surfaces whose shape is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from mri2mesh.anatomy.regions import Region
from mri2mesh.export.finite_elements.surfaces import ReadySurface, ready_surface
from mri2mesh.geometry.mesh import Mesh

SIDE_MM = 12.0


@pytest.fixture(scope="session")
def box() -> Mesh:
    """A cube of 12 mm in twelve triangles: twelve creases and eight corners to keep."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) * SIDE_MM
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    faces = [triangle for a, b, c, d in quads for triangle in ([a, b, c], [a, c, d])]
    return Mesh(corners + [10, -20, 30], np.array(faces))


@pytest.fixture(scope="session")
def barrel() -> Mesh:
    """A barrel like a vertebral body, with endplates as regions and numbers at its vertices."""
    around, up = 40, 13
    angle = np.arange(around) * 2 * np.pi / around
    heights = np.linspace(-1, 1, up)
    rings = [[0.94 * np.cos(a) * (1 - 0.1 * np.cos(h * 3)), np.sin(a), h] for h in heights for a in angle]
    for scale in np.linspace(0.9, 0.1, 9):  # both ends, ring by ring
        for h in (-1.0, 1.0):
            rings += [[0.94 * scale * 1.099 * np.cos(a), scale * np.sin(a), h] for a in angle]
    from scipy.spatial import ConvexHull

    points = np.array(rings) * [21, 16, 13]
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    hull = ConvexHull(unit)  # star-shaped: the triangles of the directions are those of the points
    faces = hull.simplices.copy()
    a, b, c = (unit[faces[:, k]] for k in range(3))
    turned = np.einsum("ni,ni->n", np.cross(b - a, c - a), a + b + c) < 0
    faces[turned] = faces[turned][:, ::-1]
    region = np.full(len(points), int(Region.BODY), np.int16)
    region[points[:, 2] > 12.9] = Region.SUPERIOR_ENDPLATE
    region[points[:, 2] < -12.9] = Region.INFERIOR_ENDPLATE
    support = (points[:, 1] > 0).astype(np.float32)
    return Mesh(points + [5, -10, 40], faces, {"region": region, "support": support})


@pytest.fixture(scope="session")
def ready_barrel(barrel: Mesh) -> Callable[[float], ReadySurface]:
    """The barrel in new triangles of an edge length, made once for all tests, which must not change it."""
    return cache(lambda edge_mm: ready_surface("L3", barrel, edge_mm))
