"""How a coccyx varies, which the subjects of the sacrum's shape model do not show: length, bends, width and depth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.shape_models.model import ShapeModel

COCCYX = "coccyx"
"""The landmark whose vertices are the coccyx of a sacrum."""
SPREADS = {"length": 0.25, "bend": 15.0, "side": 6.0, "width": 0.15, "depth": 0.15}
"""Standard deviations: of its length, width and depth as fractions; of how much it bends forwards and sideways over
its length, degrees. Lengths and angles differ so between people in CT (Woon et al. 2012, 2013)."""
NEAR_MM = 8.0
"""What of the sacrum goes along with it."""


def with_coccyx_modes(model: ShapeModel) -> ShapeModel:
    """The model with five modes more; modes are made orthonormal again."""
    own = model.modes * model.deviations[:, None, None]
    moves = np.concatenate([own, coccyx_moves(model.mean, model.landmarks[COCCYX])])
    _, deviations, joint = np.linalg.svd(moves.reshape(len(moves), -1), full_matrices=False)
    offsets = model.scores @ own.reshape(len(own), -1)
    return replace(
        model,
        modes=joint.reshape(-1, *model.mean.shape).astype(np.float32),
        variances=deviations**2,
        scores=offsets @ joint.T / deviations,
    )


def coccyx_moves(mean: NDArray, coccyx: NDArray) -> NDArray[np.float64]:
    """[5, V, 3] displacements of one standard deviation of the coccyx's length, bends, width and depth."""
    own = mean[coccyx]
    root = own[own[:, 2] > own[:, 2].max() - 2.0].mean(axis=0)
    tip = own[own[:, 2] < own[:, 2].min() + 2.0].mean(axis=0)
    length = float(np.linalg.norm(tip - root))
    axis = (tip - root) / length
    along = np.clip((mean - root) @ axis, 0.0, None)
    along[np.setdiff1d(np.arange(len(mean)), _reach(mean, coccyx))] = 0.0
    ramp = np.clip(along / (0.3 * length), 0.0, 1.0)
    right = np.array([1.0, 0.0, 0.0])
    forward = np.cross(axis, right)
    line = root + along[:, None] * axis
    across = mean - line
    bend = along**2 / (2 * length)  # a circle's arc: the tip turns by the whole angle
    spread = SPREADS
    return np.stack([
        spread["length"] * along[:, None] * axis,
        np.radians(spread["bend"]) * bend[:, None] * forward,
        np.radians(spread["side"]) * bend[:, None] * right,
        spread["width"] * (ramp * (across @ right))[:, None] * right,
        spread["depth"] * (ramp * (across @ forward))[:, None] * forward,
    ])  # fmt: skip


def _reach(mean: NDArray, coccyx: NDArray) -> NDArray[np.int64]:
    """The coccyx and the vertices right above it."""
    return np.flatnonzero(cKDTree(mean[coccyx]).query(mean)[0] < NEAR_MM)
