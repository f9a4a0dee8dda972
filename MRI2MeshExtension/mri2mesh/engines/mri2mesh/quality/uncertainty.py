"""How far each vertex may be off: the spread of the passes, and how sharply the localiser sees the boundary there.

Passes of the network that differ by a fraction of a slice and by the place of the crop agree with each other in a
blurred image as they do in a sharp one. The localiser's probabilities do not: the less it sees, the more gradually they
fall from the inside of a structure to its outside. Both are standard deviations; they are added in quadrature.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.structures import Kind
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.quality.support import SEEN_AS
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals

REACH_MM = 6.0
STEP_MM = 0.5
MIN_FALL = 0.5
"""Least fall of the probability, inside to outside, that counts as a boundary."""
UNSEEN_MM = REACH_MM / np.sqrt(3)
"""Where there is no boundary, it may be anywhere within reach: the standard deviation of a uniform distribution."""


def boundary_width_mm(mesh: Mesh, kind: Kind, evidence: Evidence) -> NDArray[np.float64]:
    """[V] standard deviation, mm, of where along the normal the probability of a structure's tissue falls.

    The fall per millimetre is taken as the density of the boundary's place; rises do not count. `UNSEEN_MM` where
    there is no boundary within 6 mm, as outside the image.
    """
    ends = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)
    points = mesh.vertices.astype(np.float64)[:, None] + ends[None, :, None] * vertex_normals(mesh)[:, None]
    tissue = evidence.semantic[list(SEEN_AS[kind])].sum(axis=0)
    kji = evidence.kji_from_ras(points.reshape(-1, 3)).T
    probability = ndimage.map_coordinates(tissue, kji, order=1, mode="nearest").reshape(points.shape[:2])
    falls = np.clip(-np.diff(probability, axis=1), 0.0, None)
    middles = (ends[1:] + ends[:-1]) / 2
    total = falls.sum(axis=1)
    density = falls / np.maximum(total, 1e-9)[:, None]
    mean = density @ middles
    variance = (density * (middles - mean[:, None]) ** 2).sum(axis=1)
    return np.where(total >= MIN_FALL, np.sqrt(variance), UNSEEN_MM)


def uncertainty_of(
    mesh: Mesh, kind: Kind, spread_mm: NDArray[np.float32], evidence: Evidence
) -> NDArray[np.float32]:
    """[V] one standard deviation per vertex, mm: spread of the passes [V] and width of the boundary together."""
    return np.hypot(spread_mm, boundary_width_mm(mesh, kind, evidence)).astype(np.float32)
