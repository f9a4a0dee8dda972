"""Cameras as radiographs of the lumbar spine are taken with: table and upright films, C-arms; from the front, from the
side, oblique, tilted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry, assumed_geometry
from mri2mesh.synthesis.films.lumbar.region import LumbarRegion
from mri2mesh.synthesis.films.views import View, rolled

KINDS = ("ap", "lateral", "oblique", "c-arm")
_SHARES = (0.36, 0.24, 0.08, 0.32)
_LUMBAR = [VERTEBRAE.index(level) for level in ("L1", "L2", "L3", "L4", "L5")]


def draw_lumbar_view(
    region: LumbarRegion, rng: np.random.Generator, size: int = 256, kind: str | None = None
) -> View:
    """A square view of a region, turned a little about the beam. kind: of `KINDS`; "c-arm" takes any of the directions,
    over a small field, round four times out of five."""
    geometry, view = draw_lumbar_geometry(region, rng, size, kind)
    return replace(view, camera=rolled(geometry.camera(), rng.normal(0, 4.0)))


def draw_lumbar_geometry(
    region: LumbarRegion, rng: np.random.Generator, size: int = 256, kind: str | None = None
) -> tuple[XrayGeometry, View]:
    """The same upright, with the values that a camera.json has."""
    kind = str(rng.choice(KINDS, p=_SHARES)) if kind is None else kind
    direction = (
        str(rng.choice(["ap", "lateral", "oblique"], p=[0.5, 0.35, 0.15])) if kind == "c-arm" else kind
    )
    if direction == "lateral":
        primary = rng.choice([-90.0, 90.0]) + rng.normal(0, 3.0)
    else:
        primary = 0.0 if rng.random() < (0.5 if kind == "c-arm" else 0.2) else 180.0
        primary += rng.normal(0, 2.5)
        if direction == "oblique":
            primary += rng.choice([-1, 1]) * rng.uniform(20, 50)
    secondary = rng.normal(0, 3.0)
    centre = region.middle + rng.normal(0, [8.0, 8.0, 25.0])
    if kind == "c-arm":
        distance, source = rng.uniform(900, 1200), rng.uniform(520, 800)
        field = rng.uniform(190, 340)
        centre = region.anchors[rng.choice(_LUMBAR), 0] + rng.normal(0, [15.0, 15.0, 18.0])
        if rng.random() < 0.3:  # along an endplate or a pedicle
            secondary += rng.uniform(-30, 30)
    else:
        distance = rng.choice([1000.0, 1100.0, 1150.0, 1500.0, 1800.0, rng.uniform(950, 1850)])
        source = distance - (rng.uniform(90, 220) if direction != "lateral" else rng.uniform(180, 360))
        field = rng.uniform(300, 430)
    off = rng.normal(0, 0.03 * size, 2) if kind != "c-arm" else np.zeros(2)
    geometry = lumbar_geometry(size, field, distance, source, primary, secondary, centre, off)
    return geometry, View(geometry.camera(), kind == "c-arm" and rng.random() < 0.8, kind)


def around(
    centre_ras_mm: NDArray, number: int, count: int, rng: np.random.Generator, size: int
) -> XrayGeometry:
    """View ``number`` of ``count`` that go once around a place in even steps, from AP on, in a field of some 120 mm of
    it."""
    primary = 180.0 + 360.0 * number / count + rng.normal(0, 1.0)
    distance = rng.uniform(950, 1150)
    source = distance * rng.uniform(0.6, 0.8)
    field = rng.uniform(110, 135) * distance / source
    centre = centre_ras_mm + rng.normal(0, 4.0, 3)
    return lumbar_geometry(size, field, distance, source, primary, rng.normal(0, 4.0), centre, np.zeros(2))


def lumbar_geometry(
    size: int,
    field_mm: float,
    distance_mm: float,
    source_mm: float,
    primary_deg: float,
    secondary_deg: float,
    centre: NDArray,
    off_px: NDArray,
) -> XrayGeometry:
    """A square detector of a side of field_mm; every value known."""
    spacing = float(field_mm / size)
    return assumed_geometry((size, size)).with_values(
        "user",
        source_to_detector_mm=float(distance_mm),
        source_to_isocentre_mm=float(source_mm),
        pixel_spacing_mm=(spacing, spacing),
        primary_angle_deg=float((primary_deg + 180) % 360 - 180),
        secondary_angle_deg=float(secondary_deg),
        principal_point_px=((size - 1) / 2 + float(off_px[0]), (size - 1) / 2 + float(off_px[1])),
        isocentre_ras_mm=(float(centre[0]), float(centre[1]), float(centre[2])),
    )
