"""Distances between surfaces as far as the image reaches: what lies beyond it, and the cut at its border, are not
compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.geometry.checks import area_mm2
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface

SAMPLES = 20_000
BORDER_VOXELS = 0.6
"""Surface this near to the outermost voxels' centres is the cut that the border makes."""


def distances_in_image(a: Mesh, b: Mesh, bone: Patch, seed: int = 0) -> tuple[float, float]:
    """Mean distance and 95th percentile, mm, both ways, from dense samples to the exact nearest triangle.

    bone: the labels, and where in the image they lie.
    """
    rng = np.random.default_rng(seed)
    one, other = _in_image(a, bone), _in_image(b, bone)
    there = point_to_surface(sample_surface(one, SAMPLES, rng)[0], b)
    back = point_to_surface(sample_surface(other, SAMPLES, rng)[0], a)
    areas = area_mm2(one), area_mm2(other)
    mean = (there.mean() * areas[0] + back.mean() * areas[1]) / sum(areas)
    return float(mean), float(max(np.percentile(there, 95), np.percentile(back, 95)))


def _in_image(mesh: Mesh, bone: Patch) -> Mesh:
    """The faces whose middles lie well inside the image."""
    ijk = bone.ijk_from_ras(mesh.vertices.astype(np.float64)[mesh.faces].mean(axis=1))
    low, high = bone.first + BORDER_VOXELS, bone.last - BORDER_VOXELS
    inside: NDArray[np.bool_] = np.all((ijk > low) & (ijk < high), axis=1)
    return Mesh(mesh.vertices, mesh.faces[inside])
