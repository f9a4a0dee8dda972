"""Under what conditions bones alone in the picture are measured: views, fields, how well the geometry is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry, assumed_geometry


@dataclass(frozen=True)
class Field:
    """How an anatomy is radiographed. size_mm: rows, columns of the whole field, at the detector. cut: the axis of
    the image, 0 rows or 1 columns, that a truncated field has half of: the upper, or the patient's left."""

    source_to_detector_mm: float
    source_to_isocentre_mm: float
    size_mm: tuple[float, float]
    cut: int = 1

    def geometry(self, primary_angle_deg: float, truncated: bool, pixels: int = 512) -> XrayGeometry:
        """Square pixels, so many of them on the longer side of the whole field. The isocentre is the origin."""
        spacing = max(self.size_mm) / pixels
        size = [round(length / spacing) for length in self.size_mm]
        row, column = ((n - 1) / 2 for n in size)
        if truncated:
            size[self.cut] //= 2
            column -= size[1] if self.cut == 1 else 0
        return assumed_geometry((size[0], size[1]), "table").with_values(
            "user",
            source_to_detector_mm=self.source_to_detector_mm,
            source_to_isocentre_mm=self.source_to_isocentre_mm,
            pixel_spacing_mm=(spacing, spacing),
            primary_angle_deg=primary_angle_deg,
            secondary_angle_deg=0.0,
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


def true_camera(given: XrayCamera, turn: Rotation, distance_share: float) -> XrayCamera:
    """The camera that a film was made with: turned about the isocentre (the origin) against the given one, its source
    to detector distance shorter, so that the given one is longer by this share."""
    matrix = turn.as_matrix()
    return XrayCamera(
        matrix @ given.source_ras_mm,
        np.asarray(given.axes_ras) @ matrix.T,
        given.source_to_detector_mm / (1 + distance_share),
        given.pixel_spacing_mm,
        given.principal_point_px,
        given.size,
    )
