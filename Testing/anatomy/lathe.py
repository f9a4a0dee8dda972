"""Turned bodies with region labels: pucks whose heights, radii and volumes have formulas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.mesh import Mesh


def puck(
    radius: tuple[float, float], height: float, top: Region, bottom: Region, wall: Region, rings: int = 10
) -> Mesh:
    """An elliptic cylinder around the origin: radius (x, y), flat ends of 48 x ``rings`` vertices, a wall of
    5 rows inside."""
    around = 48
    angle = np.arange(around) * 2 * np.pi / around
    circle = np.column_stack([np.cos(angle), np.sin(angle)]) * radius
    rows: list[tuple[float, float, Region]] = [(k / rings, height / 2, top) for k in range(1, rings + 1)]
    rows += [(1.0, height * (0.5 - k / 6), wall) for k in range(1, 6)]
    rows += [(k / rings, -height / 2, bottom) for k in range(rings, 0, -1)]
    vertices: list[NDArray] = [np.array([[0, 0, height / 2]])]
    vertices += [np.column_stack([s * circle, np.full(around, z)]) for s, z, _ in rows]
    vertices.append(np.array([[0, 0, -height / 2]]))
    region = np.concatenate([[top], *[np.full(around, r) for _, _, r in rows], [bottom]])
    faces = []
    for j in range(around):
        k = (j + 1) % around
        faces.append([0, 1 + j, 1 + k])
        for row in range(len(rows) - 1):
            a, b = 1 + row * around, 1 + (row + 1) * around
            faces += [[a + j, b + j, b + k], [a + j, b + k, a + k]]
        last = 1 + (len(rows) - 1) * around
        faces.append([last + j, last + around, last + k])
    return Mesh(np.concatenate(vertices), np.array(faces), {"region": region})


def puck_vertebra(radius: tuple[float, float] = (22.0, 16.0), height: float = 26.0) -> Mesh:
    """A body without an arch."""
    return puck(radius, height, Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE, Region.BODY)


def puck_disc(radius: tuple[float, float] = (25.0, 17.0), height: float = 8.0) -> Mesh:
    """A disc template."""
    return puck(radius, height, Region.ENDPLATE_SUPERIOR, Region.ENDPLATE_INFERIOR, Region.ANNULUS)


def moved(mesh: Mesh, shift: tuple[float, float, float], tilt_deg: float = 0.0) -> Mesh:
    """Tilted about +x (anterior edge up), then shifted."""
    t = np.radians(tilt_deg)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]
    matrix[:3, 3] = shift
    return mesh.transformed(matrix)


def volume_mm3(mesh: Mesh) -> float:
    """By the divergence theorem; positive when outward."""
    a, b, c = mesh.vertices.astype(float)[mesh.faces.T]
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)
