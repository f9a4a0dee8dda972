"""4x4 transforms acting on column vectors: making, fitting, taking apart. Millimetres and degrees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Matrix = NDArray[np.float64]


def apply(matrix: ArrayLike, points: ArrayLike) -> NDArray[np.float64]:
    """[..., 3] points mapped by a 4x4."""
    matrix = np.asarray(matrix, dtype=np.float64)
    return np.asarray(points, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def compose(rotation: ArrayLike, offset: ArrayLike = (0.0, 0.0, 0.0)) -> Matrix:
    """4x4 from a 3x3 linear part and a translation: p -> rotation p + offset."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = offset
    return matrix


def translation(offset: ArrayLike) -> Matrix:
    """4x4 that moves by offset [3]."""
    return compose(np.eye(3), offset)


def rotation_about(axis: ArrayLike, degrees: float, point: ArrayLike = (0.0, 0.0, 0.0)) -> Matrix:
    """4x4 rotation about the line through a point along axis [3] (any length), right-handed."""
    axis = np.asarray(axis, dtype=np.float64)
    rotation = Rotation.from_rotvec(axis / np.linalg.norm(axis) * degrees, degrees=True).as_matrix()
    point = np.asarray(point, dtype=np.float64)
    return compose(rotation, point - rotation @ point)


def rotation_between(source: ArrayLike, target: ArrayLike) -> Matrix:
    """4x4: the smallest rotation that takes direction source [3] to direction target [3]."""
    a, b = (np.asarray(v, dtype=np.float64) / np.linalg.norm(v) for v in (source, target))
    axis, cosine = np.cross(a, b), float(a @ b)
    angle = np.degrees(np.arctan2(np.linalg.norm(axis), cosine))
    if np.linalg.norm(axis) < 1e-12:  # parallel, or opposite: then any perpendicular axis will do
        axis = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
    return rotation_about(axis, float(angle))


def frame(origin: ArrayLike, z: ArrayLike, y: ArrayLike) -> Matrix:
    """local_to_ras of a right-handed frame: z along z, y as near y as a right angle to z allows.

    Raises ValueError when y and z are parallel.
    """
    up = np.asarray(z, dtype=np.float64)
    up = up / np.linalg.norm(up)
    wanted = np.asarray(y, dtype=np.float64)
    forward = wanted - up * (up @ wanted)
    if np.linalg.norm(forward) <= 1e-9 * np.linalg.norm(wanted):
        raise ValueError("a frame needs two directions that are not parallel")
    forward = forward / np.linalg.norm(forward)
    return compose(np.stack([np.cross(forward, up), forward, up], axis=1), origin)


def rigid_inverse(matrix: ArrayLike) -> Matrix:
    """Inverse of a rotation and translation, exact to rounding."""
    matrix = np.asarray(matrix, dtype=np.float64)
    return compose(matrix[:3, :3].T, -matrix[:3, :3].T @ matrix[:3, 3])


def rigid_fit(source: ArrayLike, target: ArrayLike, weights: ArrayLike | None = None) -> Matrix:
    """4x4 rotation and translation that best takes source [N, 3] to target [N, 3] (weighted least squares).

    Kabsch 1976. Never a reflection. Raises ValueError for fewer than three points or shapes that differ.
    """
    return _fit(source, target, weights, scaled=False)


def similarity_fit(source: ArrayLike, target: ArrayLike, weights: ArrayLike | None = None) -> Matrix:
    """4x4 rotation, uniform scale and translation that best takes source [N, 3] to target [N, 3].

    Umeyama 1991. Raises ValueError as `rigid_fit`, and when all source points coincide.
    """
    return _fit(source, target, weights, scaled=True)


def _fit(source: ArrayLike, target: ArrayLike, weights: ArrayLike | None, scaled: bool) -> Matrix:
    p, q = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if p.shape != q.shape or p.ndim != 2 or p.shape[1] != 3 or len(p) < 3:
        raise ValueError(
            f"a fit needs two matching sets of at least three points, got {p.shape} and {q.shape}"
        )
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w / w.sum()
    centre_p, centre_q = w @ p, w @ q
    p, q = p - centre_p, q - centre_q
    u, singular, vt = np.linalg.svd((q * w[:, None]).T @ p)
    handed = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    linear = (u * handed) @ vt
    if scaled:
        spread = float(w @ (p**2).sum(axis=1))
        if spread <= 0:
            raise ValueError("all source points coincide: a scale cannot be fitted")
        linear = linear * float(singular @ handed) / spread
    return compose(linear, centre_q - linear @ centre_p)
