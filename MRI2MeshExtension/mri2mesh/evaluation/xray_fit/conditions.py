"""Under what conditions fits to radiographs are measured: views, fields, and how well the geometry is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.geometry.xray_camera import XrayCamera


@dataclass(frozen=True)
class Field:
    """How an anatomy is radiographed. size_mm: rows, columns of the whole field, at the detector. cut: the axis of
    the image, 0 rows or 1 columns, that a truncated field has half of: the upper, or the patient's left."""

    source_to_detector_mm: float
    source_to_isocentre_mm: float
    size_mm: tuple[float, float]
    cut: int = 1

    def camera(self, primary_angle_deg: float, truncated: bool, pixels: int = 512) -> XrayCamera:
        """Square pixels, so many of them on the longer side of the whole field. The isocentre is the origin."""
        spacing = max(self.size_mm) / pixels
        size = [round(length / spacing) for length in self.size_mm]
        row, column = ((n - 1) / 2 for n in size)
        if truncated:
            size[self.cut] //= 2
            column -= size[1] if self.cut == 1 else 0
        return XrayCamera.from_c_arm(
            source_to_detector_mm=self.source_to_detector_mm,
            source_to_isocentre_mm=self.source_to_isocentre_mm,
            pixel_spacing_mm=(spacing, spacing),
            size=(size[0], size[1]),
            primary_angle_deg=primary_angle_deg,
            principal_point_px=(column, row),
        )


FIELDS = {
    "pelvis": Field(1000.0, 800.0, (420.0, 420.0)),
    # 480 mm of the thigh: a whole femur
    "femur_left": Field(1800.0, 1600.0, (540.0, 270.0), cut=0),
    **{f"L{n}": Field(1000.0, 800.0, (200.0, 200.0)) for n in range(1, 6)},
}


@dataclass(frozen=True)
class Condition:
    """primary_angles_deg: of each view, 180 is antero-posterior. truncated: half of the field is missing.

    turn_deg: error of the given direction of each view but the first, about a random axis through the
    isocentre. The first is right because it says where the patient is: one view's direction can be neither wrong nor
    right. distance_share: fraction by which the given source to detector distance of every view is too long.
    """

    primary_angles_deg: tuple[float, ...]
    truncated: bool = False
    turn_deg: float = 0.0
    distance_share: float = 0.0

    @property
    def prior(self) -> PriorSettings:
        """What a user who knows how well the geometry is known would ask for.

        Half of a turn between two views goes to each, with a little shift, for views turn about the isocentre and
        bones about their centre. A given distance that is too long makes everything look larger, or farther away:
        not much shift, so that the shape takes it up and not the place.
        """
        return PriorSettings(
            view_turn_deg=self.turn_deg / 2,
            view_shift_mm=0.4 * self.turn_deg,
        )


AP, OBLIQUE = 180.0, 135.0

CONDITIONS = {
    "ap": Condition((AP,)),
    "oblique": Condition((OBLIQUE,)),
    "two-views": Condition((AP, OBLIQUE)),
    "ap-truncated": Condition((AP,), truncated=True),
    "two-views-truncated": Condition((AP, OBLIQUE), truncated=True),
    "ap-wrong-geometry": Condition((AP,), turn_deg=5.0, distance_share=0.02),
    "two-views-wrong-geometry": Condition((AP, OBLIQUE), turn_deg=5.0, distance_share=0.02),
}

AIMS = {("pelvis", "ap"): 2.0, ("pelvis", "two-views"): 1.2, ("femur_left", "two-views"): 0.9}
"""(anatomy, condition) -> ASSD in mm that the median is to reach."""


def with_geometry_error(camera: XrayCamera, turn: Rotation, distance_share: float) -> XrayCamera:
    """The camera turned about the isocentre (the origin), its source to detector distance longer by this share."""
    matrix = turn.as_matrix()
    return XrayCamera(
        matrix @ camera.source_ras_mm,
        np.asarray(camera.axes_ras) @ matrix.T,
        camera.source_to_detector_mm * (1 + distance_share),
        camera.pixel_spacing_mm,
        camera.principal_point_px,
        camera.size,
    )
