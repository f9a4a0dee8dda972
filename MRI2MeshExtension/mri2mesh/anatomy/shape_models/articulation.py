"""The joint model of pelvis and femora with hips that turn: its own modes hardly know how patients lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.model import ShapeModel

SIDES = ("left", "right")
JOINT_MODES = 6
TURN_SD_DEG = (15.0, 8.0, 15.0)
"""Flexion about x, abduction about y, rotation about z: how differently the hips of patients lie on a table."""


def articulated(model: ShapeModel, turns: NDArray | None = None, modes: int = 12) -> ShapeModel:
    """The model with its femora turned about the centres of their heads, and with turns as its first six modes: three
    of the left hip, about x, y and z, then three of the right; then so many of its own.

    turns: [2, 3, 3], by default none. A turn as a mode is linear, right for small ones: fit, then turn by what was
    found (`turned_by`), and fit again.
    """
    turns = np.stack([np.eye(3)] * 2) if turns is None else turns
    mean, own = model.mean.copy(), model.modes[:modes].astype(np.float64)
    joint_modes, variances = [], []
    for turn, side in zip(turns, SIDES, strict=True):
        rows, head = model.part_vertices(f"femur_{side}"), model.landmarks[f"femoral_head_centre_{side}"]
        centre, moved = mean[head].mean(0), own[:, head].mean(1, keepdims=True)
        mean[rows] = (mean[rows] - centre) @ turn.T + centre
        own[:, rows] = (own[:, rows] - moved) @ turn.T + moved
        for axis, degrees in enumerate(TURN_SD_DEG):
            spin = np.zeros_like(mean)
            spin[rows] = np.cross(np.eye(3)[axis], mean[rows] - centre) * np.radians(degrees)
            size = float(np.linalg.norm(spin))
            joint_modes.append(spin / size)
            variances.append(size**2)
    return replace(
        model,
        mean=mean,
        modes=np.concatenate([np.stack(joint_modes), own]).astype(np.float32),
        variances=np.concatenate([variances, model.variances[:modes]]),
        scores=np.concatenate([np.zeros((len(model.scores), JOINT_MODES)), model.scores[:, :modes]], axis=1),
        local=0,
    )


def turned_by(turns: NDArray, coefficients: NDArray) -> NDArray[np.float64]:
    """[2, 3, 3] the turns of an `articulated` model after a fit gave its coefficients [6 + M]."""
    vectors = np.asarray(coefficients)[:JOINT_MODES].reshape(2, 3) * np.radians(TURN_SD_DEG)
    return np.asarray(Rotation.from_rotvec(vectors).as_matrix() @ turns)
