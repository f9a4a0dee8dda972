"""How the triangles of a surface hang together: neighbours, components. No coordinates used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from mri2mesh.geometry.edges import edges
from mri2mesh.geometry.mesh import Mesh


def vertex_adjacency(faces: NDArray, n_vertices: int) -> sparse.csr_matrix:
    """[V, V] symmetric 0/1 matrix: 1 where an edge joins two vertices."""
    pairs = edges(faces)
    ones = np.ones(len(pairs))
    upper = sparse.csr_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(n_vertices, n_vertices))
    return (upper + upper.T).tocsr()


def neighbour_average(faces: NDArray, n_vertices: int) -> sparse.csr_matrix:
    """[V, V] row-stochastic matrix: the mean over a vertex's neighbours (itself where it has none)."""
    adjacency = vertex_adjacency(faces, n_vertices)
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    lonely = sparse.diags((degree == 0).astype(float))
    return (sparse.diags(1.0 / np.maximum(degree, 1)) @ adjacency + lonely).tocsr()


def grow(vertices: NDArray[np.bool_], adjacency: sparse.csr_matrix, rings: int) -> NDArray[np.bool_]:
    """[V] the marked vertices and those within so many edges of them."""
    for _ in range(rings):
        vertices = vertices | (adjacency @ vertices.astype(np.float64) > 0)
    return vertices


def component_labels(mesh: Mesh) -> tuple[int, NDArray[np.int32]]:
    """Number of connected pieces and [F] the piece of each face (vertices without faces are not pieces)."""
    if not len(mesh.faces):
        return 0, np.zeros(0, np.int32)
    adjacency = vertex_adjacency(mesh.faces, len(mesh.vertices))
    labels = connected_components(adjacency, directed=False)[1][mesh.faces[:, 0]]
    names, labels = np.unique(labels, return_inverse=True)
    return len(names), labels.astype(np.int32)


def largest_component(mesh: Mesh) -> Mesh:
    """The connected piece with most faces; vertices that no kept face uses are dropped."""
    count, labels = component_labels(mesh)
    if count > 1:
        mesh = select_faces(mesh, labels == np.bincount(labels).argmax())
    return mesh


def select_faces(mesh: Mesh, keep: NDArray) -> Mesh:
    """The surface of the faces kept ([F] mask or indices), with only the vertices they use, in order."""
    faces = mesh.faces[keep]
    used = np.unique(faces)
    renumber = np.full(len(mesh.vertices), -1, np.int64)
    renumber[used] = np.arange(len(used))
    data = {name: np.asarray(values)[used] for name, values in mesh.point_data.items()}
    return Mesh(mesh.vertices[used], renumber[faces], data)


def euler_characteristic(mesh: Mesh) -> int:
    """V - E + F over the vertices in use: 2 for each closed piece without handles, 0 for a torus."""
    if not len(mesh.faces):
        return 0
    return len(np.unique(mesh.faces)) - len(edges(mesh.faces)) + len(mesh.faces)
