"""From shapes in correspondence to a shape model: alignment and principal components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.transforms import apply, rigid_fit

_ROUNDS = 20


def aligned_rigidly(
    vertices: NDArray, weights: NDArray | None = None, mirror: NDArray | None = None
) -> NDArray[np.float64]:
    """[S, V, 3] shapes turned and moved onto their common mean (generalised Procrustes; size is kept).

    weights: [V] how much each vertex counts, as by the area around it. mirror: [V] mirror permutation; then the mean
    is made symmetric about x = 0, and stays upright: its turn about x is that of the shapes on average.
    """
    shapes = vertices - vertices.mean(axis=1, keepdims=True)
    mean = shapes.mean(axis=0)  # of shapes that lie as scanned: keeps patient axes on average
    for _ in range(_ROUNDS):
        if mirror is not None:
            mean = (mean + mean[mirror] * [-1, 1, 1]) / 2
        shapes = np.stack([apply(rigid_fit(shape, mean, weights), shape) for shape in shapes])
        moved = np.abs(shapes.mean(axis=0) - mean).max()
        mean = shapes.mean(axis=0)
        if moved < 1e-4:
            break
    return shapes


def principal_components(
    shapes: NDArray, kept_variance: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Mean [V, 3], modes [M, V, 3], variances [M] and scores [S, M] of aligned shapes [S, V, 3].

    kept_variance: the first modes that hold this share of the variance are kept. The sign of a mode is arbitrary; it
    is set so that the vertex that moves most moves towards + along the axis it moves most along.
    """
    mean = shapes.mean(axis=0)
    flat = (shapes - mean).reshape(len(shapes), -1)
    values, vectors = np.linalg.eigh(flat @ flat.T / (len(shapes) - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    values, vectors = values[: len(shapes) - 1], vectors[:, : len(shapes) - 1]
    real = values > 1e-9 * values.sum()
    values, vectors = values[real], vectors[:, real]
    count = int(np.searchsorted(np.cumsum(values) / values.sum(), kept_variance - 1e-12)) + 1
    values, vectors = values[:count], vectors[:, :count]
    modes = (vectors.T @ flat) / np.sqrt(values * (len(shapes) - 1))[:, None]
    sign = np.sign(modes[np.arange(len(modes)), np.abs(modes).argmax(axis=1)])
    modes *= sign[:, None]
    scores = vectors * sign * np.sqrt(len(shapes) - 1)
    return mean, modes.reshape(-1, *mean.shape).astype(np.float32), values, scores


def compactness(model: ShapeModel) -> NDArray[np.float64]:
    """[M] share of the variance in the first m modes."""
    return np.cumsum(model.variances) / model.variances.sum()


def vertex_areas(vertices: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """[V] a third of the area of the faces around each vertex, mm2."""
    a, b, c = vertices[faces.T]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(faces.ravel(), np.repeat(area, 3), len(vertices)).astype(np.float64)
