"""Solids with known volume, area and distances, and slow second implementations to check against."""

from __future__ import annotations

import numpy as np
import trimesh
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume


def mesh_of(solid: trimesh.Trimesh) -> Mesh:
    return Mesh(solid.vertices, solid.faces)


def sphere(radius: float, centre: tuple[float, float, float] = (0, 0, 0), subdivisions: int = 3) -> Mesh:
    solid = trimesh.creation.icosphere(subdivisions, radius)
    return mesh_of(solid.apply_translation(centre))


def box(extents: tuple[float, float, float], centre: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    return mesh_of(trimesh.creation.box(extents).apply_translation(centre))


def fine_box(extents: tuple[float, float, float], divisions: int = 3) -> Mesh:
    solid = trimesh.creation.box(extents)
    for _ in range(divisions):
        solid = solid.subdivide()
    return mesh_of(solid)


def torus(ring: float = 20, tube: float = 6) -> Mesh:
    return mesh_of(trimesh.creation.torus(ring, tube))


def hand() -> Mesh:
    """A lopsided solid with bevelled steps, no two of its directions alike."""
    cells = np.zeros((6, 7, 9), bool)  # [K, J, I]
    cells[1:3, 1:6, 1:8] = True
    cells[3:5, 1:3, 1:4] = True
    solid = trimesh.voxel.ops.matrix_to_marching_cubes(cells.transpose(2, 1, 0))
    return mesh_of(solid.apply_scale(2))


def point_triangle_distances(points: NDArray, mesh: Mesh) -> NDArray:
    """[N] by brute force (Ericson, Real-Time Collision Detection, 5.1.5), every point to every triangle."""
    a, b, c = np.moveaxis(mesh.vertices.astype(float)[mesh.faces], 1, 0)
    p = points[:, None]

    def to_segment(start: NDArray, end: NDArray) -> NDArray:
        along = end - start
        t = np.clip(((p - start) * along).sum(-1) / (along**2).sum(-1), 0, 1)
        return np.linalg.norm(p - start - t[..., None] * along, axis=-1)

    best = np.minimum(np.minimum(to_segment(a, b), to_segment(b, c)), to_segment(c, a))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    inside = np.ones(best.shape, bool)
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= ((p - start) * np.cross(normal, end - start)).sum(-1) >= 0
    height = np.abs(((p - a) * normal).sum(-1))
    return np.where(inside, np.minimum(best, height), best).min(axis=1)


def winding_numbers(points: NDArray, mesh: Mesh) -> NDArray:
    """[N] by solid angles (Van Oosterom and Strackee 1983): 1 inside a closed outward mesh, 0 outside."""
    corners = mesh.vertices.astype(float)[mesh.faces][None] - points[:, None, None]
    a, b, c = np.moveaxis(corners, 2, 0)
    la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
    top = (a * np.cross(b, c)).sum(-1)
    bottom = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return np.arctan2(top, bottom).sum(1) / (2 * np.pi)


def oblique_grid(left_handed: bool = False, spacing: tuple[float, float, float] = (0.9, 1.3, 2.1)) -> NDArray:
    """ijk_to_ras turned about all three axes, unequal spacing, right- or left-handed."""
    turn = trimesh.transformations.euler_matrix(0.4, -0.3, 0.7)
    matrix = turn @ np.diag([*spacing, 1.0])
    if left_handed:
        matrix[:3, 0] *= -1
    return matrix


def grid(
    matrix: np.ndarray, shape: tuple[int, int, int], centre: tuple[float, float, float] = (0, 0, 0)
) -> Volume:
    """A grid whose middle is at centre (RAS)."""
    matrix = np.array(matrix, float)
    middle = (np.array(shape[::-1]) - 1) / 2
    matrix[:3, 3] = np.asarray(centre) - matrix[:3, :3] @ middle
    return Volume(np.zeros(shape, np.uint8), matrix)


def centres(volume: Volume) -> np.ndarray:
    k, j, i = np.indices(volume.array.shape)
    return volume.ras_from_ijk(np.stack([i, j, k], axis=-1).reshape(-1, 3))
