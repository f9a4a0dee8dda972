"""A shape model laid onto what labels say, then bent to it: pose, coefficients, and a smooth rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import diags, eye
from scipy.sparse.linalg import splu
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.segmentation.fitting.observations import Evidence, Observations
from mri2mesh.geometry.connectivity import neighbour_average
from mri2mesh.geometry.transforms import apply, compose

INDEPENDENT = 1500
"""Neighbouring points err alike: this many count as independent observations, however many there are."""
LEAST_SPREAD_MM = 0.5
LEAST_BEND_SPREAD_MM = 1.5
"""While bending, pairs that are this far apart still count: a process that the model has not reached is there to be
reached."""


@dataclass(frozen=True)
class Placed:
    """A model in the patient. pose: 4x4 from the model's frame to RAS. coefficients: [M]. vertices: [V, 3] RAS.
    spread: mm that labels and surface are apart as a rule. covariance: [M, M] of the coefficients."""

    pose: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    vertices: NDArray[np.float64]
    spread: float
    covariance: NDArray[np.float64]


def place(
    model: ShapeModel,
    evidence: Evidence,
    pose: NDArray,
    *,
    used: NDArray[np.bool_],
    turns: Sequence[int],
    start: NDArray | None = None,
    spread: float = 10.0,
) -> Placed:
    """Gauss-Newton on pose and coefficients, pairs found anew in every round.

    pose: where to begin. used: [V] vertices that the labels can say anything about. turns: how many coefficients are
    free in each round, 0 for the mean shape. start: coefficients to begin with.
    """
    moves = model.modes.astype(np.float64) * model.deviations[:, None, None]
    flat = np.ascontiguousarray(moves.transpose(1, 0, 2).reshape(len(model.mean), -1))  # [V, M * 3]
    b = np.zeros(len(moves)) if start is None else start.copy()
    covariance = np.eye(len(moves))
    for free in turns:
        shape = model.mean + np.tensordot(b, moves, axes=1)
        vertices = apply(pose, shape)
        seen = evidence.observe(vertices, model.faces, used, spread)
        spread = _narrowed(spread, seen)
        right, rows = _rows(seen, vertices, flat, pose, free)
        hessian, gradient = rows.T @ rows, rows.T @ right
        prior = spread**2 * max(float(seen.weight.sum()), 1.0) / INDEPENDENT
        own = np.arange(6, 6 + free)
        hessian[own, own] += prior
        gradient[own] -= prior * b[:free]
        hessian[np.diag_indices(6)] += 1e-9 * np.trace(hessian) + 1e-12
        step = np.linalg.solve(hessian, gradient)
        pose = _moved(step[:6], vertices) @ pose
        b[:free] += step[6:]
        if free == len(b):
            covariance = prior * np.linalg.inv(hessian)[6:, 6:]
    return Placed(pose, b, apply(pose, model.mean + np.tensordot(b, moves, axes=1)), spread, covariance)


def bend(
    vertices: NDArray,
    faces: NDArray,
    evidence: Evidence,
    used: NDArray[np.bool_],
    *,
    stiffness: Sequence[float],
    hold: float,
    spread: float,
) -> NDArray[np.float64]:
    """[V, 3] vertices moved onto the labels by a displacement as smooth as they allow (a thin plate's energy).

    stiffness: weight of the bending energy against the labels, from stiff to soft; one round each. hold: weight of
    staying where the model is, per vertex: what keeps a place that no label reaches.
    """
    n = len(vertices)
    laplacian = eye(n) - neighbour_average(faces, n)
    bending = (laplacian.T @ laplacian).tocsc()
    rest, current = vertices.astype(np.float64), vertices.astype(np.float64)
    for stiff in stiffness:
        seen = evidence.observe(current, faces, used, spread)
        spread = _narrowed(spread, seen, LEAST_BEND_SPREAD_MM)
        weighted = seen.points.T @ diags(seen.weight)
        goal = seen.points @ (current - rest) + seen.offset[:, None] * seen.direction
        matrix = (weighted @ seen.points + stiff * bending + hold * eye(n)).tocsc()
        current = rest + splu(matrix).solve(weighted @ goal)
    return current


def _narrowed(spread: float, seen: Observations, least: float = LEAST_SPREAD_MM) -> float:
    """The spread of the pairs, never wider than it was."""
    believed = seen.weight > 0
    typical = float(np.median(np.abs(seen.offset[believed]))) if believed.any() else spread
    return max(least, min(spread, 2.0 * typical))


def _rows(
    seen: Observations, vertices: NDArray, flat: NDArray, pose: NDArray, free: int
) -> tuple[NDArray, NDArray]:
    """Right-hand side [N] and Jacobian [N, 6 + free] of the weighted residuals: turning about the surface's middle,
    moving, coefficients."""
    root = np.sqrt(seen.weight)
    points = seen.points @ vertices - vertices.mean(axis=0)
    columns = [np.cross(points, seen.direction), seen.direction]
    if free:
        local = seen.direction @ pose[:3, :3]  # into the model's frame, where its modes are
        moved = seen.points @ flat[:, : 3 * free]
        columns.append(np.einsum("nmd,nd->nm", moved.reshape(len(local), free, 3), local))
    return root * seen.offset, root[:, None] * np.concatenate(columns, axis=1)


def _moved(step: NDArray, vertices: NDArray) -> NDArray[np.float64]:
    """4x4 of a small turn (three rotation angles, radians, about the vertices' mean) and a move in mm."""
    turn = Rotation.from_rotvec(step[:3]).as_matrix()
    centre = vertices.mean(axis=0)
    return compose(turn, centre - turn @ centre + step[3:])


def posterior_mm(model: ShapeModel, covariance: NDArray) -> NDArray[np.float64]:
    """[V] standard deviation of each vertex, mm, that the coefficients' covariance leaves."""
    moves = model.modes.astype(np.float64) * model.deviations[:, None, None]
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(covariance)))
    spread = np.tensordot(root.T, moves, axes=1)
    return np.asarray(np.sqrt((spread**2).sum(axis=(0, 2)) / 3.0))
