"""What a radiograph is, in the words of a report."""

from __future__ import annotations

from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import Origin, XrayGeometry

FROM: dict[Origin, str] = {
    "tag": "from tags",
    "user": "given",
    "calibrated": "calibrated",
    "default": "assumed",
}
NEAR_DEG = 20.0


def view(geometry: XrayGeometry) -> str:
    """``"PA"`` (detector in front), ``"AP"``, ``"left lateral"``, ``"right lateral"`` or ``"oblique"``."""
    primary, secondary = geometry.primary_angle_deg.value, geometry.secondary_angle_deg.value
    for angle, name in ((0, "PA"), (180, "AP"), (90, "left lateral"), (-90, "right lateral")):
        if abs((primary - angle + 180) % 360 - 180) <= NEAR_DEG and abs(secondary) <= NEAR_DEG:
            return name
    return "oblique"


def describe_radiograph(radiograph: Radiograph) -> str:
    """One line, as ``"XA, PA radiograph (primary 0°, secondary 0° from tags), source to detector 1000 mm from
    tags, pixels of 0.200 mm at the detector, calibrated"``; no patient data."""
    geometry, metadata = radiograph.geometry, radiograph.metadata
    primary, secondary = geometry.primary_angle_deg, geometry.secondary_angle_deg
    both = f"secondary {secondary.value:.0f}° {FROM[secondary.origin]}"
    first = "" if primary.origin == secondary.origin else f" {FROM[primary.origin]}"
    parts = [metadata["modality"]] if metadata.get("modality") else []
    parts.append(f"{view(geometry)} radiograph (primary {primary.value:.0f}°{first}, {both})")
    if metadata.get("frame"):
        parts.append(f"frame {metadata['frame']}")
    sid = geometry.source_to_detector_mm
    parts.append(f"source to detector {sid.value:.0f} mm {FROM[sid.origin]}")
    if not radiograph.scale_known:
        return ", ".join([*parts, "scale unknown"])
    between_rows, between_columns = geometry.pixel_spacing_mm.value
    pixels = f"{between_columns:.3f}"
    if abs(between_rows / between_columns - 1) > 1e-3:
        pixels = f"{between_rows:.3f} x {between_columns:.3f}"
    how = f" ({metadata['calibration']})" if metadata.get("calibration") else ""
    parts.append(f"pixels of {pixels} mm at the detector, {FROM[geometry.pixel_spacing_mm.origin]}{how}")
    return ", ".join(parts)
