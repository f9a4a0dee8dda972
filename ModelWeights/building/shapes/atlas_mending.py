"""Correspondences of a family of bones made sound: single vertices and patches that strayed are found and put back.

The pelvis atlas was made by non-rigid registration, which lost vertices here and there: tips thrown 15 to 100 mm away,
flaps folded across the acetabulum. A vertex strays when it moves otherwise than those around it do: anatomy varies
smoothly over a bone, so the difference between a subject and the family's median shape does so too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from mri2mesh.geometry.connectivity import grow, neighbour_average, vertex_adjacency
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import face_normals
from mri2mesh.geometry.transforms import apply, rigid_fit

STRAY_MM = 4.0
"""How far a vertex may lie from where its neighbours' movement would put it."""
_STRETCH = 3.0
"""How much longer an edge may be than in the median subject."""
_PASSES = 4
_SMOOTH = 1e-3
"""Weight of the sound vertices' own offsets against smoothness, where the field is filled in: they hardly move."""


def rigidly_aligned(
    vertices: NDArray, reference: NDArray, keep: NDArray | None = None
) -> NDArray[np.float64]:
    """[S, V, 3] shapes turned and moved rigidly onto a reference [V, 3]; keep: [S, V] vertices to go by."""
    result = np.empty(vertices.shape)
    for index, shape in enumerate(vertices):
        weights = None if keep is None else keep[index].astype(float)
        result[index] = apply(rigid_fit(shape, reference, weights), shape)
    return result


def mend(vertices: NDArray, faces: NDArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """[S, V, 3] shapes with strays put back, in each subject's own place, and [S, V] which vertices were moved.

    A stray takes the place that the smoothest field of differences from the median shape gives it, between its sound
    neighbours. Vertices without a face are left alone.
    """
    vertices = vertices.astype(np.float64)
    n_vertices = vertices.shape[1]
    adjacency = vertex_adjacency(faces, n_vertices)
    average = neighbour_average(faces, n_vertices)
    stray = np.zeros(vertices.shape[:2], bool)
    result = vertices.copy()
    for _ in range(_PASSES):
        aligned = rigidly_aligned(result, result[0], ~stray)
        median = np.median(aligned, axis=0)
        found = 0
        for index, shape in enumerate(vertices):
            to_subject = rigid_fit(median, shape, (~stray[index]).astype(float))
            expected = apply(to_subject, median)
            wild = _strays(shape - expected, shape, expected, faces, average, stray[index])
            wild = grow(wild, adjacency, 1)
            found += int((wild & ~stray[index]).sum())
            stray[index] |= wild
            offset = _filled(shape - expected, ~stray[index], average)
            result[index] = np.where(stray[index][:, None], expected + offset, shape)
        if not found:
            break
    return result, stray


def _strays(
    offset: NDArray,
    shape: NDArray,
    expected: NDArray,
    faces: NDArray,
    average: sparse.csr_matrix,
    known: NDArray,
) -> NDArray[np.bool_]:
    """[V] vertices that move otherwise than their surroundings, end an overlong edge or belong to a turned face."""
    around = _filled(offset, ~known, average)
    for _ in range(8):  # what a patch of about eight rings does on average
        around = average @ around
    wild = np.linalg.norm(offset - around, axis=1) > STRAY_MM
    for a, b in ((0, 1), (1, 2), (2, 0)):
        long = np.linalg.norm(shape[faces[:, a]] - shape[faces[:, b]], axis=1)
        usual = np.linalg.norm(expected[faces[:, a]] - expected[faces[:, b]], axis=1)
        stretched = long > _STRETCH * np.maximum(usual, 1.0)
        wild[faces[stretched][:, [a, b]]] = True
    cosine = np.einsum("fi,fi->f", face_normals(Mesh(shape, faces)), face_normals(Mesh(expected, faces)))
    wild[faces[cosine < -0.2]] = True
    return wild


def _filled(offset: NDArray, sound: NDArray, average: sparse.csr_matrix) -> NDArray[np.float64]:
    """[V, 3] the field of offsets, that of unsound vertices replaced by the smoothest continuation (bi-Laplacian)."""
    if sound.all():
        return offset
    laplacian = sparse.identity(len(sound), format="csr") - average
    bending = (laplacian.T @ laplacian).tocsr()
    free = np.flatnonzero(~sound)
    held = np.flatnonzero(sound)
    inner = bending[free][:, free] + _SMOOTH * sparse.identity(len(free))
    right = -(bending[free][:, held] @ offset[held])
    result = offset.copy()
    result[free] = splu(inner.tocsc()).solve(right)
    return result
