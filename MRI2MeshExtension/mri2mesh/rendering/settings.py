"""What both back-ends must agree on: limits of what counts, and the settings of soft images in their units."""

from __future__ import annotations

from typing import NamedTuple

EPSILON = 1e-10
"""PyTorch3D's: the least nearness of a pixel and the least weight of the background."""

MIN_AREA_NDC = 1e-8
"""Twice a face's area in NDC below which soft images leave it out, as PyTorch3D does (kEpsilon)."""

ON_EDGE = -1e-6
"""Barycentric weight from which a pixel centre is in a face of the z-buffer: one on an edge belongs to both faces."""

FLAT = 1e-12
"""Voxels per mm of depth: a ray that moves less along an axis never crosses its planes."""


class SoftSettings(NamedTuple):
    """Lengths in pixels (sigma, reach: squared pixels) and millimetres (near and far plane, background)."""

    size: tuple[int, int]
    sigma: float
    reach: float
    gamma: float
    near: float
    far: float
    background: float
    cull: bool
