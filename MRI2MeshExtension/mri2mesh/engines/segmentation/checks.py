"""The checks of surfaces made from labels. A result that fails is returned and marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mri2mesh.engines.segmentation.bones import Fitted
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.quality.closed_surface import closed_surface
from mri2mesh.quality.neighbours import touching_pairs
from mri2mesh.quality.overlap import neighbours_apart
from mri2mesh.reconstruction import Check, ReconstructedStructure

MEETS_MM = 0.6
MEETS_VOXELS = 0.6
"""The mean distance of a label's outline to its surface is at most this, or this many voxels where they are larger."""
_POINTS = 3000


def check_surfaces(
    structures: Sequence[ReconstructedStructure], fitted: Mapping[str, Fitted], voxel_mm: float
) -> list[Check]:
    """Of each structure whether its surface is closed and meets its labels; of neighbours whether they keep apart.

    voxel_mm: the largest spacing within the slices that were drawn.
    """
    found = []
    for item in structures:
        found.append(closed_surface(item))
        if item.name in fitted:
            found.append(_meets(item, fitted[item.name], voxel_mm))
    meshes = {item.name: item.mesh for item in structures}
    return [*found, *(neighbours_apart(first, second, meshes) for first, second in touching_pairs(meshes))]


def _meets(item: ReconstructedStructure, fitted: Fitted, voxel_mm: float) -> Check:
    outline = fitted.evidence.outline
    away = float(point_to_surface(outline[:: max(1, len(outline) // _POINTS)], item.mesh).mean())
    most = max(MEETS_MM, MEETS_VOXELS * voxel_mm)
    detail = f"the outline of the label is {away:.2f} mm from the surface on average"
    return Check("labels met", away, most, away <= most, detail, item.name)
