"""How far each vertex of a fitted surface may be from its place on the bone: from the curvature of the cost where the
fit ended, and from other poses that explain the images about as well.

At the optimum the curvature, and how much the images' noise scatters it, give the covariance of pose, scale, shape and
views, and each vertex moves with the steps by `Parameters.directions`. What one view hardly
sees, mostly depth along its beam, stays as uncertain as the prior left it. Rivals, candidates that ended elsewhere, add
their distance by how probable they are. The shape model cannot show everything: how far bones lie from their nearest
shape in it is added along the surface's normals, for a shift along the surface changes no surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.engines.xray_fit.checks import unambiguous
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import Fit, Rivals
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.parameters import turn_of
from mri2mesh.engines.xray_fit.fitting.poses import distances
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.reconstruction import Check

MODEL_RESIDUAL_MM = {
    "pelvis": 1.12,
    **dict.fromkeys(("femur_left", "femur_right"), 0.6),
    **dict.fromkeys(("L1", "L2", "L3", "L4", "L5"), 0.56),
}
"""Root mean square, over the vertices of left-out bones, of the part along the normal of their distance to the nearest
shape in the flexible model, by the model's name (6 subjects each)."""
UNKNOWN_RESIDUAL_MM = 1.5
"""The residual of a model for which this was not measured."""


@dataclass(frozen=True)
class Calibration:
    """By how much standard deviations along the beam and across it are stated larger than the curvature says."""

    along: float = 1.0
    across: float = 1.0


IN_PLACE = Calibration(1.45, 1.1)
"""Of bones that were found among the others, in several views: root mean square of error over stated standard
deviation in 9 fits that agreed with their images, of left-out people whom no network had seen either (4 pelves, 3
femora in whole fields, 2 between blades): 1.46 along, 1.06 across."""
IN_PLACE_ONE_SIDE = Calibration(1.0, 1.1)
"""The same of pelves from one side (4): 0.78 along, where the expected depth is nearly all, and 1.13 across."""
LONG_ONE_SIDE = Calibration(1.2, 1.6)
"""The same of femora from one side (3), whose tilt along the beam is hardly seen: 1.18 and 1.62."""


GEOMETRY_SD = 0.025
"""Standard deviation of the logarithm of the size that views from several sides give together, where no phantom or
marker calibrated their distances. A film does not show that its distance to the detector is believed too large: 10% of
it made a pelvis 9% smaller about the isocentre, 7.4 mm off where 3.8 were stated, and both views agreed as well as
before (0.84 and 0.75 for 0.86 and 0.75); with this it is less than twice as far off as stated."""


@dataclass(frozen=True)
class Enlarged:
    """A size that is known to a standard deviation of its logarithm, about a place [3] RAS mm."""

    about: NDArray[np.float64]
    sd: float

    def covariance(self, vertices: NDArray) -> NDArray[np.float64]:
        """[V, 3, 3] mm2 of vertices [V, 3]."""
        offset = self.sd * (vertices - self.about)
        return np.asarray(offset[:, :, None] * offset[:, None])


@dataclass(frozen=True)
class Uncertainty:
    """Standard deviations per vertex [V], mm. total: of the distance between a vertex and its place on the bone, all
    directions together. along_beam: along the ray through the vertex of the view that shows least of it, so of all
    rays the one it may have slid most along. across: of one axis across that ray. beam: [V, 3] that ray's direction."""

    total: NDArray[np.float32]
    along_beam: NDArray[np.float32]
    across: NDArray[np.float32]
    beam: NDArray[np.float64]


def step_covariance(fit: Fit) -> Tensor:
    """[n_steps, n_steps] covariance of the steps; zero for those that were not free.

    The optimum answers to the right side of the normal equations by the inverse of their precision: the sandwich
    precision^-1 scatter precision^-1 (Huber 1967), right for any weights, and the inverse alone for right ones.
    """
    index = torch.nonzero(fit.free)[:, 0]
    inner, scatter = (matrix[index[:, None], index] for matrix in (fit.precision, fit.scatter))
    inverse = torch.linalg.inv((inner + inner.T) / 2)
    result = torch.zeros_like(fit.precision)
    result[index[:, None], index] = inverse @ scatter @ inverse
    return result


def vertex_covariance(fit: Fit, family: SurfaceFamily) -> NDArray[np.float64]:
    """[V, 3, 3] mm2 of the vertices in patient RAS as the first view has it, without rivals and what no shape of the
    model shows."""
    at = fit.parameters
    # the common steps and the first view's own turn
    directions = at.directions(family, at.vertices(family), 0)[0, :-3].double()
    covariance = step_covariance(fit)[: len(directions), : len(directions)]
    values, vectors = torch.linalg.eigh((covariance + covariance.T) / 2)
    root = vectors * values.clamp_min(0).sqrt()
    moved = torch.einsum("sk,svc->vck", root, directions)
    return np.asarray((moved @ moved.mT).cpu().numpy(), dtype=np.float64)


def rival_spread(fit: Fit, family: SurfaceFamily) -> NDArray[np.float64]:
    """[V, 3, 3] mm2 about the vertices of the best candidate: what the others add, each by its probability."""
    best = fit.parameters.by_first_view(family)
    spread = best.new_zeros(*best.shape[1:], 3)
    if fit.rivals is not None and len(fit.rivals.excess):
        offset = fit.rivals.parameters.by_first_view(family) - best
        spread = torch.einsum("k,kva,kvb->vab", rival_probability(fit.rivals), offset, offset)
    return np.asarray(spread.cpu().numpy(), dtype=np.float64)


def rival_probability(rivals: Rivals) -> Tensor:
    """[K] of each rival; what they leave of 1 is the best candidate's."""
    none = rivals.excess.new_zeros(1)
    return torch.softmax(-torch.cat([none, rivals.excess]), 0)[1:]


def pose_check(fit: Fit, family: SurfaceFamily) -> Check:
    """Whether rivals leave the pose open."""
    if fit.rivals is None or not len(fit.rivals.excess):
        return unambiguous(0.0, 0.0, 0.0)
    first = fit.rivals.parameters.take(fit.rivals.excess.argmin()[None])
    spread = np.trace(rival_spread(fit, family), axis1=1, axis2=2)
    apart = float(distances(fit.parameters, first, family))
    turn = float(turn_of(first.rotation @ fit.parameters.rotation.mT).norm().rad2deg())
    return unambiguous(float(np.sqrt(spread.mean())), apart, turn)


def uncertainty_of(
    fit: Fit,
    family: SurfaceFamily,
    cameras: Sequence[XrayCamera],
    residual_mm: float = UNKNOWN_RESIDUAL_MM,
    calibration: Calibration | None = None,
    enlarged: Enlarged | None = None,
) -> Uncertainty:
    """Per vertex. residual_mm: what the model cannot show, root mean square over the surface, along its normals.
    calibration: by default none. enlarged: by how much all of it may be too large or too small."""
    calibration = calibration or Calibration()
    surface = fit.parameters.by_first_view(family)
    normals, vertices = (one[0].cpu().numpy() for one in (vertex_normals(surface, family.faces), surface))
    covariance = vertex_covariance(fit, family) + rival_spread(fit, family)
    covariance = covariance + residual_mm**2 * normals[:, :, None] * normals[:, None]
    rays = np.stack([vertices - camera.source_ras_mm for camera in cameras])
    rays /= np.linalg.norm(rays, axis=2, keepdims=True)
    each = np.einsum("nva,vab,nvb->nv", rays, covariance, rays)
    least, every = each.argmax(0), np.arange(len(vertices))
    along, total = each[least, every], np.trace(covariance, axis1=1, axis2=2)
    across = np.maximum(total - along, 0) / 2 * calibration.across**2
    along = along * calibration.along**2
    if enlarged is not None:
        more = enlarged.covariance(vertices)
        longer = np.einsum("va,vab,vb->v", rays[least, every], more, rays[least, every])
        along = along + longer
        across = across + (np.trace(more, axis1=1, axis2=2) - longer) / 2
    total = along + 2 * across
    total, along, across = (np.sqrt(values).astype(np.float32) for values in (total, along, across))
    return Uncertainty(total, along, across, rays[least, every])
