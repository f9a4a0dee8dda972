"""What a shape model of few subjects cannot show, made up locally: further modes that each change one neighbourhood.

Subjects' differences are alike only over a distance: between far places a small sample shows correlations that the
population does not have. So the model's covariance is multiplied by a kernel that falls off with distance (Wilms et al.
2017, multi-resolution models by a locality assumption; Luethi et al. 2018, Gaussian process morphable models); what of
that the model's own modes leave are the local modes, largest first, with as much variance as left-out subjects were
found to need.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel

RESIDUAL_MM = {
    "pelvis": 2.54,
    **dict.fromkeys(("femur_left", "femur_right"), 1.62),
    **dict.fromkeys(("L1", "L2", "L3", "L4", "L5"), 1.43),
}
"""Root mean square distance between the vertices of a left-out bone and those of its nearest shape in the model, by the
model's name (ModelWeights/README.md; of the vertebrae the largest)."""
UNKNOWN_RESIDUAL_MM = 2.5
LOCAL_MODES = 80
"""Number of local modes of a flexible model: more of them bring its nearest shapes nearer still, but images do not show
them."""
REACH = 0.1
"""Standard deviation of the kernel as a share of the diagonal of the mean shape's box: 40 mm for a pelvis."""
KERNEL_FUNCTIONS = 80
KERNEL_POINTS = 800
GLOBAL_MODES = 20
"""Number of the model's own modes whose products with the kernel are used: later ones have hardly any variance."""
_SPARE = 10
"""Vectors of the randomised subspace beyond those that are kept (Halko, Martinsson and Tropp 2011)."""


def flexible(model: ShapeModel) -> ShapeModel:
    """The model with `LOCAL_MODES` local modes, of the variance that left-out subjects need."""
    return with_local_modes(model, LOCAL_MODES, RESIDUAL_MM.get(model.name, UNKNOWN_RESIDUAL_MM))


def with_local_modes(model: ShapeModel, n: int, residual_mm: float, seed: int = 0) -> ShapeModel:
    """The model with n further modes, after its own, whose coefficients of the subjects are 0.

    residual_mm: root mean square distance of left-out subjects' vertices from the model's nearest shape: what all
    local modes together vary. The same seed gives the same modes.
    """
    size = float(np.linalg.norm(np.ptp(model.mean, axis=0)))
    rng = np.random.default_rng(seed)
    functions = _kernel_functions(model.mean / (REACH * size), rng)
    own = model.modes.reshape(len(model.modes), -1)
    used = min(GLOBAL_MODES, len(own))
    basis = (model.modes[:used] * model.deviations[:used, None, None]).astype(np.float32)

    def applied(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The localised covariance without what the model's own modes span, times vectors [R, 3 V]."""
        product = _localised(_outside(own, vectors), basis, functions)
        return _outside(own, product)

    start = rng.standard_normal((n + _SPARE, own.shape[1]), dtype=np.float32)
    subspace = np.linalg.qr(applied(start).T)[0].T
    image = applied(subspace)
    small = image @ subspace.T
    values, vectors = np.linalg.eigh((small + small.T) / 2)
    modes = vectors[:, ::-1][:, :n].T @ subspace
    variances = np.maximum(values[::-1][:n], 1e-6 * values[-1]).astype(np.float64)
    variances *= residual_mm**2 * len(model.mean) / variances.sum()
    return replace(
        model,
        modes=np.concatenate([model.modes, modes.reshape(-1, *model.mean.shape).astype(np.float32)]),
        variances=np.concatenate([model.variances, variances]),
        scores=np.concatenate([model.scores, np.zeros((len(model.scores), n))], axis=1),
        local=n,
    )


def _kernel_functions(points: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """[V, K] whose products sum to about exp(-d^2 / 2) (Nystroem's method)."""
    some = points[rng.choice(len(points), min(KERNEL_POINTS, len(points)), replace=False)]
    values, vectors = np.linalg.eigh(_kernel(some, some))
    kept = values > 1e-6 * values[-1]
    kept[:-KERNEL_FUNCTIONS] = False
    return (_kernel(points, some) @ (vectors[:, kept] / np.sqrt(values[kept]))).astype(np.float32)


def _kernel(first: NDArray, second: NDArray) -> NDArray[np.float64]:
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2 * first @ second.T
    return np.exp(-np.maximum(squares, 0) / 2)


def _localised(vectors: NDArray, basis: NDArray, functions: NDArray) -> NDArray[np.float32]:
    """The sum over modes m and kernel functions k of (mode_m function_k)(mode_m function_k)^T, times [R, 3 V]."""
    shape = (len(vectors), *basis.shape[1:])
    mode_first = np.ascontiguousarray(basis.transpose(1, 0, 2))  # [V, M, 3]
    result = np.empty_like(vectors)
    for row, vector in enumerate(vectors.reshape(shape)):
        along = (mode_first @ vector[..., None])[..., 0]  # [V, M]
        smooth = functions @ (functions.T @ along)
        result[row] = (smooth[:, None] @ mode_first)[:, 0].ravel()
    return result


def _outside(own: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors [R, 3 V] without their part in the span of orthonormal ones."""
    return np.asarray(vectors - (vectors @ own.T) @ own, dtype=np.float32)
