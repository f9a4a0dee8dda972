"""Registration of a template to a bone: rigid search, affine, then as rigid as possible, piece by piece.

The non-rigid step alternates closest points with an as-rigid-as-possible deformation (Sorkine and Alexa, 2007)
whose stiffness is lowered step by step (the optimal-step idea of Amberg et al., 2007). Closest points are sought
in position and normal together, so that the two sides of a thin process do not mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

STIFFNESS = (30.0, 10.0, 4.0, 2.0, 1.0, 0.5, 0.25)
"""Weight of the deformation against the data, from stiff to soft."""


class Target:
    """A bone to register to, as densely sampled points with normals. vertices [V, 3] mm, faces [F, 3]."""

    def __init__(self, vertices: NDArray, faces: NDArray, n_samples: int = 40_000, seed: int = 0) -> None:
        mesh = trimesh.Trimesh(vertices, faces, process=False)
        points, face = trimesh.sample.sample_surface(mesh, n_samples, seed=seed)
        self.points = np.asarray(points)
        self.normals = smooth_normals(mesh, points, face)
        self.area = float(mesh.area)
        self._trees: dict[float, cKDTree] = {}

    def closest(self, points: NDArray, normals: NDArray, normal_mm: float) -> NDArray:
        """Index of the sample nearest in position and normal; ``normal_mm`` is what a unit of normal is worth."""
        if normal_mm not in self._trees:
            self._trees[normal_mm] = cKDTree(np.hstack([self.points, normal_mm * self.normals]))
        return self._trees[normal_mm].query(np.hstack([points, normal_mm * normals]))[1]


def smooth_normals(mesh: trimesh.Trimesh, points: NDArray, face: NDArray) -> NDArray:
    """[N, 3] normals at points on faces, interpolated from the vertices."""
    weights = trimesh.triangles.points_to_barycentric(mesh.triangles[face], points)
    normals = np.einsum("nk,nkd->nd", weights, mesh.vertex_normals[mesh.faces[face]])
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def vertex_normals(vertices: NDArray, faces: NDArray) -> NDArray:
    """[V, 3] area-weighted unit normals."""
    a, b, c = vertices[faces.T]
    normals = np.zeros_like(vertices)
    for corner in faces.T:
        np.add.at(normals, corner, np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def rigid_search(
    vertices: NDArray, faces: NDArray, target: Target, pitches: Sequence[float] = (-45, -22.5, 0, 22.5, 45)
) -> NDArray:
    """Vertices after the best similarity: one start per pitch in degrees (both bones roughly in RAS)."""
    scale = np.sqrt(target.area / trimesh.Trimesh(vertices, faces, process=False).area)
    best, best_cost = vertices, np.inf
    for pitch in pitches:
        turn = Rotation.from_euler("x", pitch, degrees=True).as_matrix()
        start = (vertices - vertices.mean(axis=0)) @ turn.T * scale + target.points.mean(axis=0)
        fitted, cost = _linear_icp(start, faces, target, affine=False, iterations=25)
        if cost < best_cost:
            best, best_cost = fitted, cost
    return best


def affine_fit(vertices: NDArray, faces: NDArray, target: Target) -> NDArray:
    """Vertices after an affine registration, from a rigid one."""
    return _linear_icp(vertices, faces, target, affine=True, iterations=25)[0]


def _linear_icp(
    vertices: NDArray, faces: NDArray, target: Target, affine: bool, iterations: int
) -> tuple[NDArray, float]:
    cost = np.inf
    for _ in range(iterations):
        moved, goal = _pairs(vertices, faces, target, normal_mm=10.0)
        centre, goal_centre = moved.mean(axis=0), goal.mean(axis=0)
        a, b = moved - centre, goal - goal_centre
        if affine:
            ridge = 0.02 * np.trace(a.T @ a) / 3 * np.eye(3)
            linear = np.linalg.solve(a.T @ a + ridge, a.T @ b + ridge)
        else:
            u, s, vt = np.linalg.svd(a.T @ b)
            sign = np.diag([1, 1, np.linalg.det(u @ vt)])
            linear = u @ sign @ vt * (s * np.diag(sign)).sum() / (a**2).sum()
        vertices = (vertices - centre) @ linear + goal_centre
        cost = float(np.linalg.norm(b - a @ linear, axis=1).mean())
    return vertices, cost


def _pairs(vertices: NDArray, faces: NDArray, target: Target, normal_mm: float) -> tuple[NDArray, NDArray]:
    """Points of the moving bone and where they should go: closest points both ways."""
    normals = vertex_normals(vertices, faces)
    there = target.points[target.closest(vertices, normals, normal_mm)]
    sample = slice(None, 3 * len(vertices) // 2)
    tree = cKDTree(np.hstack([vertices, normal_mm * normals]))
    back = tree.query(np.hstack([target.points[sample], normal_mm * target.normals[sample]]))[1]
    return np.concatenate([vertices, vertices[back]]), np.concatenate([there, target.points[sample]])


@dataclass(frozen=True)
class _Springs:
    """Directed edges i -> j of a mesh and its graph Laplacian."""

    i: NDArray
    j: NDArray
    laplacian: csr_matrix

    @classmethod
    def of(cls, n_vertices: int, faces: NDArray) -> _Springs:
        edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
        i, j = np.concatenate([edges, edges[:, ::-1]]).T
        adjacency = csr_matrix((np.ones(len(i)), (i, j)), shape=(n_vertices, n_vertices))
        return cls(i, j, csr_matrix(diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency))

    def rotated_rest(self, vertices: NDArray, rest: NDArray) -> NDArray:
        """[V, 3] right-hand side: the rest shape's edges, each vertex's turned as its neighbourhood has turned."""
        edge_rest, edge_now = rest[self.i] - rest[self.j], vertices[self.i] - vertices[self.j]
        covariance = np.zeros((len(rest), 3, 3))
        np.add.at(covariance, self.i, edge_rest[:, :, None] * edge_now[:, None, :])
        u, _, vt = np.linalg.svd(covariance)
        u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
        turn = u @ vt
        pulls = np.einsum("ed,edk->ek", edge_rest, (turn[self.i] + turn[self.j]) / 2)
        result = np.zeros_like(rest)
        np.add.at(result, self.i, pulls)
        return result


def nonrigid_fit(
    vertices: NDArray,
    faces: NDArray,
    target: Target,
    stiffness: Sequence[float] = STIFFNESS,
    iterations: int = 12,
    weights: NDArray | None = None,
) -> NDArray:
    """[V, 3] vertices drawn onto the target, same topology.

    weights: [V] how much each vertex follows the target (0: only carried along by its neighbours).
    """
    springs = _Springs.of(len(vertices), faces)
    rest, current = vertices.astype(float), vertices.astype(float)
    follow = np.ones(len(vertices)) if weights is None else weights
    for step, alpha in enumerate(stiffness):
        normal_mm = 12.0 if step < len(stiffness) // 2 else 6.0
        solver = splu((diags(follow + 1e-6) + alpha * springs.laplacian).tocsc())
        for _ in range(iterations):
            goal = _goals(current, faces, target, normal_mm)
            right = follow[:, None] * goal + 1e-6 * current + alpha * springs.rotated_rest(current, rest)
            current = solver.solve(right)
    return current


def _goals(vertices: NDArray, faces: NDArray, target: Target, normal_mm: float) -> NDArray:
    """[V, 3] where each vertex is drawn: half its own closest point's plane, half the target points that chose it."""
    normals = vertex_normals(vertices, faces)
    index = target.closest(vertices, normals, normal_mm)
    there, plane = target.points[index], target.normals[index]
    along = np.einsum("ij,ij->i", there - vertices, plane)[:, None] * plane
    forward = vertices + 0.9 * along + 0.1 * (there - vertices)
    sample = slice(None, 4 * len(vertices))
    tree = cKDTree(np.hstack([vertices, normal_mm * normals]))
    back = tree.query(np.hstack([target.points[sample], normal_mm * target.normals[sample]]))[1]
    offset, plane = target.points[sample] - vertices[back], target.normals[sample]
    pull = 0.8 * np.einsum("ij,ij->i", offset, plane)[:, None] * plane + 0.2 * offset
    count = np.bincount(back, minlength=len(vertices))[:, None]
    mean_pull = np.zeros_like(vertices)
    np.add.at(mean_pull, back, pull)
    backward = vertices + mean_pull / np.maximum(count, 1)
    return np.where(count > 0, (forward + backward) / 2, forward)
