"""A shape model laid onto a foreign surface: pose, size and coefficients together.

Iterated closest points with a Gaussian prior on the coefficients. Each round pairs the model with the target in
both directions, in position and normal together, then takes one Gauss-Newton step on pose and coefficients with
residuals mostly along the target's normal (Chen and Medioni 1992), each pair weighted by Geman and McClure's
function. So what one of the two surfaces lacks (a bone cut by the image, an implant) pulls little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.errors import InputError
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface, vertex_normals
from mri2mesh.geometry.transforms import apply, compose, translation

_NORMAL_MM = 10.0
"""What a unit of difference between normals is worth when closest points are sought."""
_TANGENTIAL = 0.05
"""Weight of a residual along the surface against one across it."""
_INDEPENDENT = 1500
"""Neighbouring points err alike: this many count as independent observations, however many are used."""


@dataclass(frozen=True)
class ShapeFit:
    """coefficients: [M]. matrix: 4x4 from the model's frame to the target's. vertices: [V, 3] in the target's frame.

    distances: [V] mm from each vertex to the target. weights: [V] 0..1, how far the target spoke for each vertex:
    near 0 where the target has nothing there, and the vertex is the prior's.
    """

    coefficients: NDArray[np.float64]
    matrix: NDArray[np.float64]
    vertices: NDArray[np.float64]
    distances: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def scale(self) -> float:
        """Size against the model's; 1 for a rigid fit."""
        return float(np.cbrt(np.linalg.det(self.matrix[:3, :3])))


def fit_shape(
    model: ShapeModel,
    target: Mesh | NDArray,
    *,
    scale: bool = False,
    initial: NDArray | None = None,
    parts: Sequence[str] | None = None,
    noise_mm: float = 1.0,
    n_modes: int | None = None,
    rounds: int = 60,
    n_points: int = 4000,
    seed: int = 0,
) -> ShapeFit:
    """Pose and coefficients that lay the model on the target.

    target: a surface (outward; it may be open) or points [N, 3], RAS or at least upright: without ``initial`` the
        model starts unturned, its centre on the target's.
    scale: also find a uniform scale, for bones of a size the model's few subjects do not span.
    initial: 4x4 from the model's frame to the target's to start from.
    parts: only these parts take part; the others follow by the model.
    noise_mm: what a matched point is expected to be off; larger keeps closer to the mean.
    n_modes: coefficients to be found, the first ones; 0 places the mean. rounds, n_points: work.

    Raises InputError when the target holds fewer than 100 points.
    """
    rng = np.random.default_rng(seed)
    there = _Target.of(target, 2 * n_points, rng)
    used = (
        np.arange(len(model.mean))
        if parts is None
        else np.concatenate([model.part_vertices(p) for p in parts])
    )
    m = len(model.modes) if n_modes is None else min(n_modes, len(model.modes))
    moves = model.modes[:m].astype(np.float64) * model.deviations[:m, None, None]  # [m, V, 3]
    pose = translation(there.points.mean(axis=0) - model.mean[used].mean(axis=0))
    pose = pose if initial is None else np.array(initial, dtype=np.float64)
    b = np.zeros(m)
    shown = np.sort(rng.choice(used, size=min(n_points, len(used)), replace=False))
    spread = 10.0
    for turn in range(rounds):
        free = m if turn >= rounds // 3 else 0  # first the pose, by the mean alone
        shape = model.mean + np.tensordot(b, moves, axes=1)
        pairs = there.pairs(apply(pose, shape), model.faces, shown, used)
        spread = max(noise_mm, min(spread, 1.5 * float(np.median(pairs.distance))))
        weight = pairs.weights(spread)
        columns = _pose_columns(apply(pose, shape)[pairs.vertex], scale)
        turned = np.einsum("ij,mvj->vim", pose[:3, :3], moves[:free, pairs.vertex])
        jacobian = np.concatenate([columns[0], turned], axis=2)  # [N, 3, 7 + free]
        metric = np.sqrt(weight)[:, None, None] * _across(pairs.normal)
        rows = (metric @ jacobian).reshape(-1, jacobian.shape[2])
        right = np.einsum("nij,nj->ni", metric, pairs.offset).ravel()
        hessian, gradient = rows.T @ rows, rows.T @ right
        n_pose = jacobian.shape[2] - free
        # Residual variance over prior variance (1), and fewer independent points than there are pairs.
        prior = spread**2 * max(weight.sum(), 1.0) / _INDEPENDENT
        own = np.arange(n_pose, n_pose + free)
        hessian[own, own] += prior
        gradient[own] -= prior * b[:free]
        hessian[np.diag_indices(n_pose)] += 1e-9 * np.trace(hessian)
        step = np.linalg.solve(hessian, gradient)
        pose = _moved(step[:n_pose], columns[1], scale) @ pose
        b[:free] += step[n_pose:]
    vertices = apply(pose, model.mean + np.tensordot(b, moves, axes=1))
    coefficients = np.concatenate([b, np.zeros(len(model.modes) - m)])
    distances = there.distances(vertices)
    weights = 1.0 / (1.0 + (distances / (3.0 * spread)) ** 2) ** 2
    return ShapeFit(coefficients, pose, vertices, distances, weights)


@dataclass(frozen=True)
class _Pairs:
    """vertex: [N] model vertices. offset: [N, 3] from each to its partner. normal: [N, 3] of the surface there.
    agreement: [N] cosine between the two normals (1 where unknown)."""

    vertex: NDArray
    offset: NDArray
    normal: NDArray
    agreement: NDArray

    @property
    def distance(self) -> NDArray:
        return np.linalg.norm(self.offset, axis=1)

    def weights(self, spread: float) -> NDArray:
        """[N] Geman and McClure's weights; none for pairs that face away from each other."""
        return (self.agreement > 0.3) / (1.0 + (self.distance / (3.0 * spread)) ** 2) ** 2


class _Target:
    """What the model is laid on: points, with normals if they come from a surface."""

    def __init__(self, points: NDArray, normals: NDArray | None, mesh: Mesh | None) -> None:
        self.points, self.normals, self.mesh = points, normals, mesh
        self.tree = cKDTree(points if normals is None else np.hstack([points, _NORMAL_MM * normals]))

    @classmethod
    def of(cls, target: Mesh | NDArray, n: int, rng: np.random.Generator) -> _Target:
        if isinstance(target, Mesh):
            if len(target.faces) < 100:
                raise InputError("the surface to fit has too few faces")
            # Many to choose the closest from; as many as asked for would leave gaps wider than the noise.
            return cls(*sample_surface(target, 4 * n, rng), target)
        points = np.asarray(target, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 3 or len(points) < 100 or not np.isfinite(points).all():
            raise InputError("a shape model is fitted to a surface or to at least 100 points [N, 3]")
        return cls(points, None, None)

    def pairs(self, vertices: NDArray, faces: NDArray, shown: NDArray, used: NDArray) -> _Pairs:
        """Closest points from the shown model vertices to the target and from the target to the used vertices."""
        normals = vertex_normals(Mesh(vertices, faces))
        there = self._features(vertices[shown], normals[shown])
        partner = self.tree.query(there)[1]
        back = slice(None, None, max(1, len(self.points) // len(shown)))
        features = (
            self.points[back]
            if self.normals is None
            else np.hstack([self.points[back], _NORMAL_MM * self.normals[back]])
        )
        own = used[cKDTree(self._features(vertices[used], normals[used])).query(features)[1]]
        vertex = np.concatenate([shown, own])
        goal = np.concatenate([self.points[partner], self.points[back]])
        if self.normals is None:
            return _Pairs(vertex, goal - vertices[vertex], normals[vertex], np.ones(len(vertex)))
        normal = np.concatenate([self.normals[partner], self.normals[back]])
        agreement = np.einsum("ni,ni->n", normal, normals[vertex])
        return _Pairs(vertex, goal - vertices[vertex], normal, agreement)

    def distances(self, vertices: NDArray) -> NDArray:
        return self.tree.query(vertices)[0] if self.mesh is None else point_to_surface(vertices, self.mesh)

    def _features(self, points: NDArray, normals: NDArray) -> NDArray:
        return points if self.normals is None else np.hstack([points, _NORMAL_MM * normals])


def _across(normal: NDArray) -> NDArray:
    """[N, 3, 3] root of the metric: 1 along the normal, less along the surface."""
    tangential = np.sqrt(_TANGENTIAL)
    outer = normal[:, :, None] * normal[:, None, :]
    return tangential * np.eye(3) + (1.0 - tangential) * outer


def _pose_columns(points: NDArray, scaled: bool) -> tuple[NDArray, NDArray]:
    """[N, 3, 6 or 7] how points move with turn, shift and size about their centre, and the centre [3]."""
    centre = points.mean(axis=0)
    arm = points - centre
    turn = -np.cross(arm[:, None, :], np.eye(3)[None]).transpose(0, 2, 1)
    columns = [turn, np.broadcast_to(np.eye(3), turn.shape)]
    if scaled:
        columns.append(arm[:, :, None])
    return np.concatenate(columns, axis=2), centre


def _moved(step: NDArray, centre: NDArray, scaled: bool) -> NDArray:
    """4x4 of a step: a turn [rad], a shift [mm] and, where there is one, the logarithm of a scale."""
    linear = Rotation.from_rotvec(step[:3]).as_matrix() * (np.exp(step[6]) if scaled else 1.0)
    return compose(linear, centre + step[3:6] - linear @ centre)
