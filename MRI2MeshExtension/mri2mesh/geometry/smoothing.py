"""Smoothing that does not shrink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.connectivity import neighbour_average
from mri2mesh.geometry.mesh import Mesh


def taubin(
    mesh: Mesh,
    n: int = 10,
    *,
    shrink: float = 0.5,
    pass_band: float = 0.1,
    where: NDArray | None = None,
) -> Mesh:
    """n rounds of Taubin's lambda|mu smoothing (Taubin 1995); faces and point data are kept.

    shrink: lambda, the step towards the neighbours' mean; the step back is mu with
        1/mu = pass_band - 1/lambda, so detail of graph frequency below pass_band stays.
    where: optional [V] weights 0..1; vertices with 0 do not move.
    """
    if not 0 < shrink < 1:
        raise ValueError(f"shrink must be between 0 and 1, got {shrink}")
    average = neighbour_average(mesh.faces, len(mesh.vertices))
    weights = 1.0 if where is None else np.asarray(where, dtype=np.float64)[:, None]
    inflate = 1.0 / (pass_band - 1.0 / shrink)
    vertices = mesh.vertices.astype(np.float64)
    for _ in range(n):
        for step in (shrink, inflate):
            vertices = vertices + weights * step * (average @ vertices - vertices)
    return mesh.with_vertices(vertices)
