"""What a volume is, in the words of a report."""

from __future__ import annotations

import numpy as np

from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.orientation import slice_plane

NEARLY_ISOTROPIC = 1.2
"""Largest over smallest spacing up to which a volume has no slice direction to speak of."""


def orientation(volume: Volume) -> str | None:
    """``"sagittal"``, ``"coronal"`` or ``"axial"`` by the slice axis; None for (nearly) cubic voxels.

    ``"oblique ..."`` when the slices are tilted by more than 25 degrees.
    """
    if volume.spacing.max() <= NEARLY_ISOTROPIC * volume.spacing.min():
        return None
    in_plane = [volume.ijk_to_ras[:3, axis] for axis in range(3) if axis != volume.slice_axis]
    return slice_plane(np.cross(in_plane[0], in_plane[1]))


def describe(volume: Volume) -> str:
    """One line, as ``"MR, sagittal, 4.0 mm slices every 4.4 mm, 0.6 x 0.6 mm in plane"``; no patient data."""
    spacing = volume.spacing
    parts = [volume.metadata["modality"]] if volume.metadata.get("modality") else []
    plane = orientation(volume)
    if plane is None:
        cube = np.ptp(spacing) < 0.005
        size = f"{spacing[0]:.2f} mm isotropic" if cube else " x ".join(f"{value:.2f}" for value in spacing)
        parts.append(f"{size} voxels" if cube else f"{size} mm voxels")
    else:
        every = float(spacing[volume.slice_axis])
        thickness = volume.slice_thickness_mm
        apart = thickness is not None and abs(thickness - every) > 0.05
        in_plane = " x ".join(f"{spacing[axis]:.2f}" for axis in range(3) if axis != volume.slice_axis)
        parts += [
            plane,
            f"{thickness:.1f} mm slices every {every:.1f} mm" if apart else f"{every:.1f} mm slices",
            f"{in_plane} mm in plane",
        ]
    if volume.metadata.get("orientation") == "unknown":
        parts.append("orientation in the patient not recorded")
    return ", ".join(parts)
