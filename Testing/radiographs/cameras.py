"""Geometries with nothing even: pixels not square, principal point off centre, an oblique beam, either hand."""

from __future__ import annotations

from typing import Literal

from mri2mesh.geometry.xray_camera import XrayCamera

SIZE = (300, 400)


def uneven_camera(
    primary: float = 155.0,
    secondary: float = 12.0,
    seen_from: Literal["front", "detector", "source"] = "source",
    principal_point: tuple[float, float] = (260.0, 110.0),
) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=700,
        pixel_spacing_mm=(0.6, 0.5),
        size=SIZE,
        primary_angle_deg=primary,
        secondary_angle_deg=secondary,
        principal_point_px=principal_point,
        seen_from=seen_from,
    )
