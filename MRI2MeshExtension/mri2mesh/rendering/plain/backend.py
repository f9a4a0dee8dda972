"""The plain-torch back-end: any device, no compiler, the reference for the others."""

from mri2mesh.rendering.plain.both_faces import interpolated, nearest_and_farthest
from mri2mesh.rendering.plain.drr import line_integrals
from mri2mesh.rendering.plain.hard import nearest_depth
from mri2mesh.rendering.plain.soft import soft_images
from mri2mesh.rendering.plain.thickness import crossing_depth, crossing_tangents

__all__ = [
    "crossing_depth",
    "crossing_tangents",
    "interpolated",
    "line_integrals",
    "nearest_and_farthest",
    "nearest_depth",
    "soft_images",
]
