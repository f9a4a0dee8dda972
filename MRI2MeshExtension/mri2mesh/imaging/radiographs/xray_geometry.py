"""The values of camera.json, each with where it came from, and the camera that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera

Origin = Literal["tag", "user", "calibrated", "default"]
SeenFrom = Literal["front", "detector", "source"]
Value = TypeVar("Value")

DEFAULT_SOURCE_TO_DETECTOR_MM = 1000.0
DEFAULT_FIELD_MM = 300.0
"""Longer side of a detector that nothing is known of: a camera can be made, its scale means nothing."""
SOURCE_TO_ISOCENTRE = {"c-arm": 0.7, "table": 0.85}
"""Usual share of the way from source to detector at which the middle of the patient lies."""
PRIMARY_ANGLE_DEG = {"c-arm": 0.0, "table": 180.0}
"""Detector in front of the patient on a C-arm, behind (AP) on a table."""

WORDS = {
    "source_to_detector_mm": "the distance from source to detector",
    "source_to_isocentre_mm": "the distance from source to isocentre",
    "pixel_spacing_mm": "the pixel spacing",
    "size": "the size of the image",
    "principal_point_px": "the principal point",
    "primary_angle_deg": "the primary angle",
    "secondary_angle_deg": "the secondary angle",
    "isocentre_ras_mm": "the isocentre",
    "seen_from": "the side the image is seen from",
    "image_rotation_deg": "the rotation of the image",
}
"""The fields of `XrayGeometry`, as messages call them."""
LIMITS = {
    "source_to_detector_mm": (50.0, 20_000.0),
    "source_to_isocentre_mm": (10.0, 20_000.0),
    "pixel_spacing_mm": (1e-3, 50.0),
    "size": (1, 1 << 16),
    "principal_point_px": (0.0, 1e6),
    "isocentre_ras_mm": (0.0, 100_000.0),
}
"""Least and largest size of what a real machine can be set to, with much to spare; millimetres and pixels."""


@dataclass(frozen=True)
class Known(Generic[Value]):
    """A value and its origin: `tag` (DICOM), `user`, `calibrated` or `default` (assumed, not known)."""

    value: Value
    origin: Origin


@dataclass(frozen=True)
class XrayGeometry:
    """What `XrayCamera.from_c_arm` needs, value by value with its origin; millimetres, degrees, pixels.

    pixel_spacing_mm: (between rows, between columns) at the detector. size: (rows, columns).
    principal_point_px: (column, row). seen_from: as in `XrayCamera.from_c_arm`.
    image_rotation_deg: 0, 90, 180 or 270, how far the image, seen so, was turned clockwise before it was
    stored; the other values are those of the image as it is stored.

    Raises InputError for lengths, angles or sides that cannot be.
    """

    source_to_detector_mm: Known[float]
    source_to_isocentre_mm: Known[float]
    pixel_spacing_mm: Known[tuple[float, float]]
    size: Known[tuple[int, int]]
    principal_point_px: Known[tuple[float, float]]
    primary_angle_deg: Known[float]
    secondary_angle_deg: Known[float]
    isocentre_ras_mm: Known[tuple[float, float, float]]
    seen_from: Known[SeenFrom]
    image_rotation_deg: Known[int]

    def __post_init__(self) -> None:
        sid, sod = self.source_to_detector_mm.value, self.source_to_isocentre_mm.value
        if not 0 < sod <= sid:
            raise InputError(
                f"source to isocentre is {sod:g} mm and source to detector {sid:g} mm: the isocentre lies "
                "between the two, correct the geometry"
            )
        for name, (least, largest) in LIMITS.items():
            value = getattr(self, name).value
            if not all(
                least <= abs(one) <= largest for one in (value if isinstance(value, tuple) else (value,))
            ):
                raise InputError(
                    f"{WORDS[name]} is {_shown(value)}, which no radiograph has: it is at most {largest:g}"
                    + (f" and at least {least:g}" if least else "")
                    + ", correct the geometry"
                )
        if abs(self.primary_angle_deg.value) > 180 or abs(self.secondary_angle_deg.value) > 90:
            raise InputError(
                f"positioner angles of {self.primary_angle_deg.value:g} and "
                f"{self.secondary_angle_deg.value:g} degrees cannot be: primary is within -180 to 180, "
                "secondary within -90 to 90, correct the geometry"
            )
        if self.seen_from.value not in ("front", "detector", "source"):
            raise InputError(
                f"an image is seen from front, detector or source, not from {self.seen_from.value!r}"
            )
        if self.image_rotation_deg.value not in (0, 90, 180, 270):
            raise InputError(
                f"an image is turned by 0, 90, 180 or 270 degrees, not by {self.image_rotation_deg.value}"
            )
        self.camera()

    @property
    def scale_known(self) -> bool:
        """False where the pixel spacing is only assumed: millimetres mean nothing then."""
        return self.pixel_spacing_mm.origin != "default"

    @property
    def origins(self) -> dict[str, Origin]:
        """Name of each value to its origin, for a report."""
        return {name: getattr(self, name).origin for name in WORDS}

    def require(self, *names: str) -> None:
        """Raises InputError that names those of the values which are only assumed."""
        missing = [WORDS[name] for name in names if getattr(self, name).origin == "default"]
        if missing:
            raise InputError(
                f"the radiograph does not say {' and '.join(missing)}: "
                "give the geometry with --camera, or calibrate with a marker of known size"
            )

    def with_values(self, origin: Origin, **values: Any) -> XrayGeometry:
        """The same geometry with some values replaced, all of one origin."""
        return replace(self, **{name: Known(value, origin) for name, value in values.items()})

    def camera(self) -> XrayCamera:
        """The projection from patient RAS to the pixels of the stored image. Raises InputError."""
        camera = XrayCamera.from_c_arm(
            source_to_detector_mm=self.source_to_detector_mm.value,
            source_to_isocentre_mm=self.source_to_isocentre_mm.value,
            pixel_spacing_mm=self.pixel_spacing_mm.value,
            size=self.size.value,
            primary_angle_deg=self.primary_angle_deg.value,
            secondary_angle_deg=self.secondary_angle_deg.value,
            principal_point_px=self.principal_point_px.value,
            isocentre_ras_mm=self.isocentre_ras_mm.value,
            seen_from=self.seen_from.value,
        )
        columns, rows, beam = camera.axes_ras
        for _ in range(self.image_rotation_deg.value // 90):
            # What was up is to the right after a quarter turn clockwise, what was to the right is down.
            columns, rows = -rows, columns
        return replace(camera, axes_ras=np.stack([columns, rows, beam]))


def _shown(value: Any) -> str:
    return ", ".join(f"{one:g}" for one in (value if isinstance(value, tuple) else (value,)))


def assumed_geometry(size: tuple[int, int], kind: Literal["c-arm", "table"] = "table") -> XrayGeometry:
    """A geometry of which only the size, (rows, columns), is known: all else has the origin `default`."""
    sid = DEFAULT_SOURCE_TO_DETECTOR_MM
    spacing = DEFAULT_FIELD_MM / max(size)
    return XrayGeometry(
        source_to_detector_mm=Known(sid, "default"),
        source_to_isocentre_mm=Known(SOURCE_TO_ISOCENTRE[kind] * sid, "default"),
        pixel_spacing_mm=Known((spacing, spacing), "default"),
        size=Known(size, "tag"),
        principal_point_px=Known(((size[1] - 1) / 2, (size[0] - 1) / 2), "default"),
        primary_angle_deg=Known(PRIMARY_ANGLE_DEG[kind], "default"),
        secondary_angle_deg=Known(0.0, "default"),
        isocentre_ras_mm=Known((0.0, 0.0, 0.0), "default"),
        seen_from=Known("front", "default"),
        image_rotation_deg=Known(0, "default"),
    )


def with_distances(
    geometry: XrayGeometry, sid: Known[float] | None, sod: Known[float] | None
) -> XrayGeometry:
    """Source to detector and to isocentre set where known; one that is not follows the other, assumed."""
    share = geometry.source_to_isocentre_mm.value / geometry.source_to_detector_mm.value
    if sid is None:
        sid = geometry.source_to_detector_mm if sod is None else Known(sod.value / share, "default")
    return replace(
        geometry,
        source_to_detector_mm=sid,
        source_to_isocentre_mm=sod or Known(share * sid.value, "default"),
    )
