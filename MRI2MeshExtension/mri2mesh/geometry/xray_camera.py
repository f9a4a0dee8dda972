"""The geometry of a radiograph: a point source, a flat detector, and where both are in the patient.

Axes: columns of the image (to its right), rows (downwards), and from the source to the detector, perpendicular to it.
In an image shown as the source sees the patient they are right-handed, seen from behind the detector left-handed.
Pixel centres have integer coordinates: the first pixel is column 0, row 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mri2mesh.errors import InputError


@dataclass(frozen=True)
class XrayCamera:
    """A perspective projection from patient RAS to detector pixels.

    source_ras_mm: [3]. axes_ras: [3, 3], the unit vectors of columns, rows and beam (source to detector).
    source_to_detector_mm: along the beam. pixel_spacing_mm: (row, column) spacing at the
    detector, as in DICOM: the distance between rows first. principal_point_px: (column, row) where the perpendicular
    from the source meets the detector; it may lie off the image. size: (rows, columns).

    Raises InputError for lengths that are not positive, or axes that are not orthonormal.
    """

    source_ras_mm: NDArray[np.float64]
    axes_ras: NDArray[np.float64]
    source_to_detector_mm: float
    pixel_spacing_mm: tuple[float, float]
    principal_point_px: tuple[float, float]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        source = np.asarray(self.source_ras_mm, dtype=np.float64)
        axes = np.asarray(self.axes_ras, dtype=np.float64)
        numbers = (self.source_to_detector_mm, *self.pixel_spacing_mm, *self.principal_point_px)
        if source.shape != (3,) or axes.shape != (3, 3):
            raise InputError(f"a camera needs a source [3] and axes [3, 3], got {source.shape}, {axes.shape}")
        if not (np.isfinite(source).all() and np.isfinite(axes).all() and np.isfinite(numbers).all()):
            raise InputError("the geometry of a radiograph must be finite numbers")
        if not self.source_to_detector_mm > 0:
            raise InputError(f"source to detector is {self.source_to_detector_mm:g} mm: it must be positive")
        if not min(self.pixel_spacing_mm) > 0:
            raise InputError(f"pixel spacing is {self.pixel_spacing_mm} mm: it must be positive")
        if min(self.size) < 1:
            raise InputError(f"an image of {self.size[0]} x {self.size[1]} pixels cannot be rendered")
        if not np.allclose(axes @ axes.T, np.eye(3), atol=1e-5):
            raise InputError("the axes of a camera must be orthonormal")
        object.__setattr__(self, "source_ras_mm", source)
        object.__setattr__(self, "axes_ras", axes)

    @classmethod
    def from_c_arm(
        cls,
        *,
        source_to_detector_mm: float,
        source_to_isocentre_mm: float,
        pixel_spacing_mm: tuple[float, float],
        size: tuple[int, int],
        primary_angle_deg: float = 0.0,
        secondary_angle_deg: float = 0.0,
        principal_point_px: tuple[float, float] | None = None,
        isocentre_ras_mm: ArrayLike = (0.0, 0.0, 0.0),
        seen_from: Literal["front", "detector", "source"] = "front",
    ) -> XrayCamera:
        """A C-arm by its angles (DICOM Positioner Primary Angle, + towards LAO, and Secondary Angle, + cranial).

        In LPS the direction from the isocentre to the detector is (sin a cos b, -cos a cos b, sin b). The head is up.
        seen_from: the side from which the image is looked at. "front", as radiographs are hung, is the side that has
        the patient's right on the left of the image: the detector's for |a| up to 90 degrees, the source's beyond.
        principal_point_px: (column, row), by default the middle of the image.
        """
        a, b = np.radians(primary_angle_deg), np.radians(secondary_angle_deg)
        to_ras = np.array([-1.0, -1.0, 1.0])
        beam = to_ras * [np.sin(a) * np.cos(b), -np.cos(a) * np.cos(b), np.sin(b)]
        # The derivative by b points to the head in every view, also in one from straight above.
        up = to_ras * [-np.sin(a) * np.sin(b), np.cos(a) * np.sin(b), np.cos(b)]
        as_source_sees = np.cross(beam, up)
        if seen_from == "front":
            seen_from = "detector" if np.cos(a) >= -1e-9 else "source"
        columns = as_source_sees if seen_from == "source" else -as_source_sees
        source = np.asarray(isocentre_ras_mm, dtype=np.float64) - source_to_isocentre_mm * beam
        if principal_point_px is None:
            principal_point_px = ((size[1] - 1) / 2, (size[0] - 1) / 2)
        axes = np.stack([columns, -up, beam])
        return cls(source, axes, source_to_detector_mm, pixel_spacing_mm, principal_point_px, size)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """[3, 4] from RAS (x, y, z, 1) to (column * depth, row * depth, depth), depth in mm from the source."""
        row_mm, column_mm = self.pixel_spacing_mm
        distance, (column, row) = self.source_to_detector_mm, self.principal_point_px
        inner = np.array([[distance / column_mm, 0, column], [0, distance / row_mm, row], [0, 0, 1.0]])
        return np.asarray(inner @ self.axes_ras @ np.c_[np.eye(3), -self.source_ras_mm], dtype=np.float64)

    def project(self, points_ras_mm: ArrayLike) -> NDArray[np.float64]:
        """[..., 3] RAS to [..., 2] (column, row)."""
        points = np.asarray(points_ras_mm, dtype=np.float64)
        homogeneous = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        return np.asarray(homogeneous[..., :2] / homogeneous[..., 2:])

    def coarser(self, factor: int) -> XrayCamera:
        """The same view with pixels factor times as large; each covers factor x factor of the old ones.

        Raises InputError where the size is no multiple of the factor.
        """
        rows, columns = self.size
        if rows % factor or columns % factor:
            raise InputError(f"{rows} x {columns} pixels cannot be put together by {factor}")
        row_mm, column_mm = self.pixel_spacing_mm
        column, row = self.principal_point_px
        return replace(
            self,
            pixel_spacing_mm=(row_mm * factor, column_mm * factor),
            principal_point_px=((column + 0.5) / factor - 0.5, (row + 0.5) / factor - 0.5),
            size=(rows // factor, columns // factor),
        )

    def finer(self, factor: int) -> XrayCamera:
        """The same view with factor x factor pixels in place of each: the inverse of `coarser`."""
        (row_mm, column_mm), (column, row) = self.pixel_spacing_mm, self.principal_point_px
        return replace(
            self,
            pixel_spacing_mm=(row_mm / factor, column_mm / factor),
            principal_point_px=((column + 0.5) * factor - 0.5, (row + 0.5) * factor - 0.5),
            size=(self.size[0] * factor, self.size[1] * factor),
        )

    @property
    def pixel_to_ras(self) -> NDArray[np.float64]:
        """[4, 4] from (column, row, h, 1) to where that pixel of the detector is in RAS, mm.

        h is mm off the detector, along columns x rows: the matrix never mirrors. That is away from the source in an
        image shown as the source sees it, and towards the source in one seen from behind the detector.
        """
        (columns, rows, beam), (row_mm, column_mm) = self.axes_ras, self.pixel_spacing_mm
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([columns * column_mm, rows * row_mm, np.cross(columns, rows)], axis=1)
        foot = self.source_ras_mm + self.source_to_detector_mm * beam
        column, row = self.principal_point_px
        matrix[:3, 3] = foot - matrix[:3, 0] * column - matrix[:3, 1] * row
        return matrix

    def on_detector(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """[..., 2] (column, row) to [..., 3] RAS mm on the detector: what `project` maps back to the same pixels."""
        matrix = self.pixel_to_ras
        return np.asarray(pixels, dtype=np.float64) @ matrix[:3, :2].T + matrix[:3, 3]
