"""A view of a whole thigh, coarse enough to be searched in a moment."""

from __future__ import annotations

from mri2mesh.geometry.xray_camera import XrayCamera

THIGH = XrayCamera.from_c_arm(
    source_to_detector_mm=1800,
    source_to_isocentre_mm=1600,
    pixel_spacing_mm=(8.0, 8.0),
    size=(68, 34),
    primary_angle_deg=180,
)
"""An antero-posterior view around a femur at the isocentre."""
