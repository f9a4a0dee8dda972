"""How far each vertex of a fitted surface may be from the bone: from the curvature of the cost where the fit ended.

At the optimum the inverse of the precision of pose, scale, shape and views is their covariance (Laplace's
approximation of the posterior), and each vertex moves with the steps by `Parameters.directions`. What one view hardly
sees, mostly depth along its beam, stays as uncertain as the prior left it. The shape model cannot show everything: how
far bones lie from their nearest shape in it is added, alike in all directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.fitting.coarse_to_fine import Fit
from mri2mesh.fitting.family import SurfaceFamily
from mri2mesh.geometry.xray_camera import XrayCamera

MODEL_RESIDUAL_MM = {
    **dict.fromkeys(("pelvis", "hip_left", "hip_right", "sacrum"), 2.54),
    **dict.fromkeys(("femur_left", "femur_right"), 1.62),
    **dict.fromkeys(("L1", "L2", "L3", "L4", "L5"), 1.43),
}
"""Root mean square distance between the vertices of a left-out bone and those of its nearest shape in the model, by the
model's name (ModelWeights/README.md; of the vertebrae the largest)."""
UNKNOWN_RESIDUAL_MM = 3.0
"""For a model of which this was not measured."""


@dataclass(frozen=True)
class Uncertainty:
    """Standard deviations per vertex [V], mm. total: of the distance between vertex and bone point, all directions
    together. along_beam: along the ray through the vertex of the view that tells least about it, so of all rays the one
    it may have slid most along. across: of one axis across that ray."""

    total: NDArray[np.float32]
    along_beam: NDArray[np.float32]
    across: NDArray[np.float32]


def step_covariance(fit: Fit) -> Tensor:
    """[n_steps, n_steps] covariance of the steps; zero for those that were not free."""
    free = fit.free
    result = torch.zeros_like(fit.precision)
    inner = fit.precision[free][:, free]
    index = torch.nonzero(free)[:, 0]
    result[index[:, None], index] = torch.linalg.inv((inner + inner.T) / 2)
    return result


def vertex_covariance(fit: Fit, family: SurfaceFamily) -> NDArray[np.float64]:
    """[V, 3, 3] mm2 of the vertices in patient RAS, the model's residual not included."""
    at = fit.parameters
    # the surface in the patient, not as one view's corrected geometry shows it
    plain = replace(
        at, view_turn=torch.eye(3).expand_as(at.view_turn).to(at.view_turn), view_shift=at.view_shift * 0
    )
    directions = plain.directions(family, plain.vertices(family), 0)[0, :-6].double()
    shared = len(directions)
    covariance = step_covariance(fit)[:shared, :shared]
    values, vectors = torch.linalg.eigh((covariance + covariance.T) / 2)
    root = vectors * values.clamp_min(0).sqrt()
    moved = torch.einsum("sk,svc->vck", root, directions)
    return np.asarray((moved @ moved.mT).cpu().numpy(), dtype=np.float64)


def uncertainty_of(
    fit: Fit, family: SurfaceFamily, cameras: Sequence[XrayCamera], residual_mm: float = UNKNOWN_RESIDUAL_MM
) -> Uncertainty:
    """Per vertex. residual_mm: what the model cannot show, root mean square over the surface, all axes together."""
    covariance = vertex_covariance(fit, family) + residual_mm**2 / 3 * np.eye(3)
    total = np.trace(covariance, axis1=1, axis2=2)
    vertices = fit.parameters.vertices(family)[0].cpu().numpy()
    along = np.zeros(len(vertices))
    for camera in cameras:
        ray = vertices - camera.source_ras_mm
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        along = np.maximum(along, np.einsum("va,vab,vb->v", ray, covariance, ray))
    across = np.maximum(total - along, 0) / 2
    return Uncertainty(*(np.sqrt(values).astype(np.float32) for values in (total, along, across)))
