"""A bone made exactly left-right symmetric: shape, triangles and vertex order."""

from __future__ import annotations

import numpy as np
import pyacvd
import pyvista as pv
import trimesh
from numpy.typing import NDArray
from scipy.spatial import cKDTree

_MIRROR = np.diag([-1.0, 1.0, 1.0])


def to_pyvista(mesh: trimesh.Trimesh) -> pv.PolyData:
    """Vertices and faces only: what a file's header held does not travel along."""
    return pv.PolyData.from_regular_faces(np.asarray(mesh.vertices, dtype=float), np.asarray(mesh.faces))


def sagittal_plane(vertices: NDArray, iterations: int = 60) -> tuple[NDArray, NDArray]:
    """The plane that maps the bone best onto itself: (unit normal towards +x, a point on it).

    The mirrored points are registered rigidly to the points themselves (iterative closest point); the plane lies
    midway between each point and its image. vertices: [V, 3] mm, roughly in RAS.
    """
    points = vertices[:: max(1, len(vertices) // 6000)]
    tree, image = cKDTree(vertices), points @ _MIRROR + 2 * points.mean(axis=0) * [1, 0, 0]
    for _ in range(iterations):
        target = vertices[tree.query(image)[1]]
        u, _, vt = np.linalg.svd((image - image.mean(axis=0)).T @ (target - target.mean(axis=0)))
        turn = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
        image = (image - image.mean(axis=0)) @ turn + target.mean(axis=0)
    normal = np.linalg.svd(points - image, full_matrices=False)[2][0]
    return normal * np.sign(normal[0]), ((points + image) / 2).mean(axis=0)


def to_plane(vertices: NDArray, normal: NDArray, point: NDArray) -> NDArray:
    """Vertices turned and moved so that the plane becomes x = 0, with as little turning as possible."""
    axis = np.cross(normal, [1.0, 0.0, 0.0])
    angle = np.arcsin(np.clip(np.linalg.norm(axis), 0, 1))
    matrix = np.eye(4) if angle < 1e-9 else trimesh.transformations.rotation_matrix(angle, axis)
    return (vertices - point) @ matrix[:3, :3].T


def symmetric_remesh(mesh: trimesh.Trimesh, n_vertices: int) -> tuple[trimesh.Trimesh, NDArray]:
    """The half x > 0 remeshed evenly, mirrored and welded: (closed mesh, index of each vertex's mirror image [V]).

    ``mesh`` is closed and symmetric about x = 0 (its left half is not used).
    """
    clipped = to_pyvista(mesh).clip("x", origin=(0.0, 0.0, 0.0), invert=False).triangulate().clean()
    half = trimesh.Trimesh(clipped.points, clipped.faces.reshape(-1, 4)[:, 1:], process=True)
    clustering = pyacvd.Clustering(to_pyvista(half))
    clustering.subdivide(2)
    clustering.cluster(n_vertices // 2)
    remeshed = clustering.create_mesh()
    vertices, faces = np.array(remeshed.points, dtype=float), remeshed.faces.reshape(-1, 4)[:, 1:]
    part = trimesh.Trimesh(vertices, faces, process=True)
    rim = np.zeros(len(part.vertices), bool)
    edges, count = np.unique(part.edges_sorted, axis=0, return_counts=True)
    rim[edges[count == 1]] = True
    _, on_surface = to_pyvista(half).find_closest_cell(  # type: ignore[misc]
        part.vertices, return_closest_point=True
    )
    on_surface = np.array(on_surface, dtype=float)
    section = trimesh.intersections.mesh_plane(mesh, [1, 0, 0], [0, 0, 0]).reshape(-1, 3)
    on_surface[rim] = section[cKDTree(section).query(on_surface[rim])[1]]
    on_surface[rim, 0] = 0.0
    own = np.flatnonzero(~rim)
    image = np.arange(len(part.vertices))
    image[own] = len(part.vertices) + np.arange(len(own))
    all_vertices = np.concatenate([on_surface, on_surface[own] * [-1, 1, 1]])
    all_faces = np.concatenate([part.faces, image[part.faces][:, ::-1]])
    mirror = np.concatenate([image, own])
    whole = trimesh.Trimesh(all_vertices, all_faces, process=False)
    if whole.volume < 0:
        whole.invert()
    return whole, mirror
