"""Cameras as radiographs of hips and pelvis are taken with: table and upright films, C-arms, oblique views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.posed_region import PosedRegion


@dataclass(frozen=True)
class View:
    """camera: the true one. round_field: the image intensifier shows a disc. kind: in words."""

    camera: XrayCamera
    round_field: bool
    kind: str


def draw_view(
    region: PosedRegion, rng: np.random.Generator, size: int = 256, *, oblique: bool = True
) -> View:
    """A view of a region, whole pelvis or one hip, square, with the side of the image covering the field.

    oblique: also views turned by up to 45 degrees and tilted by up to 35.
    """
    kind = str(rng.choice(["table", "hip", "c-arm"], p=[0.62, 0.22, 0.16]))
    if kind == "c-arm":
        distance, source = rng.uniform(900, 1150), rng.uniform(520, 760)
        field, primary = rng.uniform(210, 340), rng.normal(0, 8.0)
    else:
        distance = rng.choice([1000.0, 1100.0, 1150.0, 1200.0, rng.uniform(900, 1800)])
        source = distance - rng.uniform(60, 220)
        field, primary = (
            rng.uniform(380, 480) if kind == "table" else rng.uniform(200, 330),
            180 + rng.normal(0, 2.0),
        )
    secondary = rng.normal(0, 3.0)
    if oblique and rng.random() < 0.12:
        primary += rng.choice([-1, 1]) * rng.uniform(10, 45)
    if oblique and rng.random() < 0.10:
        secondary += rng.uniform(-35, 35)
    if kind == "table" or rng.random() < 0.25:
        centre = (
            region.hips_ras_mm.mean(axis=0) + rng.normal(0, [12.0, 0.0, 22.0]) + [0, 0, rng.uniform(-15, 45)]
        )
    else:
        side = rng.integers(2)
        centre = region.hips_ras_mm[side] + rng.normal(0, [18.0, 0.0, 25.0])
        centre[0] += (-1 if side == 0 else 1) * rng.uniform(-10, 30)
    # The isocentre's depth: hips are not always where the machine turns about.
    centre[1] = region.hips_ras_mm[:, 1].mean() + rng.normal(0, 20.0)
    spacing = float(field / size)
    off = rng.normal(0, 0.03 * size, 2) if kind != "c-arm" else np.zeros(2)
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=float(distance),
        source_to_isocentre_mm=float(source),
        pixel_spacing_mm=(spacing, spacing),
        size=(size, size),
        primary_angle_deg=float(primary),
        secondary_angle_deg=float(secondary),
        principal_point_px=((size - 1) / 2 + off[0], (size - 1) / 2 + off[1]),
        isocentre_ras_mm=centre,
    )
    return View(rolled(camera, rng.normal(0, 4.0)), kind == "c-arm" and rng.random() < 0.8, kind)


def rolled(camera: XrayCamera, degrees: float) -> XrayCamera:
    """The detector turned about the beam."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    columns, rows, beam = camera.axes_ras
    axes = np.stack([c * columns + s * rows, c * rows - s * columns, beam])
    return XrayCamera(
        camera.source_ras_mm,
        axes,
        camera.source_to_detector_mm,
        camera.pixel_spacing_mm,
        camera.principal_point_px,
        camera.size,
    )
