"""The scale of a radiograph from something of known size in it.

What is measured is millimetres per pixel in the plane of the marker. The detector's pixel spacing follows from
where that plane is: with the marker at a distance d from the source it is (mm per pixel) x SID / d. A marker
beside the bone is taken to be as far from the source as the isocentre; the scale is then right there whatever
SID and d are. A ruler on the cassette and the rim of an intensifier are at the detector, d = SID.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.calibration.marker_edges import round_edge, widths_across
from mri2mesh.imaging.radiographs.calibration.markers import Marker, Point
from mri2mesh.imaging.radiographs.masks.field_shapes import find_field
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry

STEEL_PER_MM = 0.6
"""Least attenuation of steel for the hardest beam of a radiograph (80 keV effective)."""
BLUR_PX = 0.3
"""Distance by which the blur of the image may move the edges of a ball or a cylinder, whose shadows have rounded
rims."""
PICKING_PX = 1.0
"""Standard uncertainty of a point picked by hand."""


@dataclass(frozen=True)
class Calibration:
    """mm_per_px: in the plane of the marker, along a row. relative_uncertainty: standard, of it.

    method: what was measured, in words. at_detector: the marker lies in the plane of the detector.
    """

    mm_per_px: float
    relative_uncertainty: float
    method: str
    at_detector: bool = False

    def source_to_marker_mm(self, geometry: XrayGeometry) -> float:
        """How far from the source the marker must be if the pixel spacing is right.

        Raises InputError when the spacing or the distance from source to detector is only assumed.
        """
        geometry.require("pixel_spacing_mm", "source_to_detector_mm")
        return geometry.source_to_detector_mm.value * self.mm_per_px / geometry.pixel_spacing_mm.value[1]


def calibrated(
    radiograph: Radiograph, calibration: Calibration, source_to_marker_mm: float | None = None
) -> Radiograph:
    """The radiograph with the pixel spacing that the marker gives, origin `calibrated`.

    source_to_marker_mm: by default that of the isocentre, or of the detector for a marker that lies there.
    Raises InputError for a marker that is not between source and detector.
    """
    geometry = radiograph.geometry
    sid = geometry.source_to_detector_mm.value
    if source_to_marker_mm is None:
        source_to_marker_mm = sid if calibration.at_detector else geometry.source_to_isocentre_mm.value
    if not 0 < source_to_marker_mm <= sid:
        raise InputError(
            f"the marker is {source_to_marker_mm:g} mm from the source: "
            f"it must be between the source and the detector at {sid:g} mm"
        )
    column_mm = calibration.mm_per_px * sid / source_to_marker_mm
    spacing = (column_mm * _aspect(radiograph), column_mm)
    return radiograph.with_geometry(geometry.with_values("calibrated", pixel_spacing_mm=spacing))


def calibrate_marker(radiograph: Radiograph, marker: Marker) -> Calibration:
    """By the kind of the marker. Raises InputError for an unknown kind, points that are missing, and as each does."""
    kind, points = marker.kind, marker.points_px
    if kind == "intensifier":
        return calibrate_intensifier(radiograph, marker.size_mm)
    if kind == "sphere" and len(points) == 1 and marker.radius_px:
        return calibrate_sphere(radiograph, points[0], marker.radius_px, marker.size_mm)
    if kind in ("wire", "length") and len(points) == 2:
        by = calibrate_wire if kind == "wire" else calibrate_length
        return by(radiograph, *points, marker.size_mm)
    raise InputError(
        f"a marker of kind {kind!r} with {len(points)} points: mark a sphere by its centre and radius, a wire or a "
        "length by two points, an intensifier by none"
    )


def calibrate_sphere(
    radiograph: Radiograph, centre_px: Point, radius_px: float, diameter_mm: float
) -> Calibration:
    """From a ball picked by its centre (column, row) and rough radius: a circle through its edge.

    The edge is where the transmission rises fastest along rays from the centre. Away from the central beam
    the shadow is an ellipse, longer by 1 / cos of the angle to it: 1 % at 8 degrees, of which the circle has half.
    Raises InputError where there is no round edge.
    """
    _check_length(diameter_mm)
    circle, residual, found = round_edge(radiograph.transmission, centre_px, radius_px, _aspect(radiograph))
    # Neighbouring rays see the same pixels: about as many are independent as there are pixels on the rim.
    independent = max(1.0, min(found, 2 * np.pi * circle.radius / 2))
    return Calibration(
        diameter_mm / (2 * circle.radius),
        float(np.hypot(residual / np.sqrt(independent), BLUR_PX) / circle.radius),
        f"sphere of {diameter_mm:g} mm, {2 * circle.radius:.1f} pixels across",
    )


def calibrate_wire(radiograph: Radiograph, start_px: Point, end_px: Point, diameter_mm: float) -> Calibration:
    """From a straight wire or pin of steel (or denser metal), picked by two points (column, row) on its axis.

    The median of the full widths at half depth across it. The half depth of a cylinder lies inside its edge,
    the less so the more it absorbs: the width is f times the diameter, with f between that of steel in the
    hardest beam and 1; the middle is taken and half of the range counted as uncertainty. Diameters are not
    foreshortened, whatever way the wire points. Raises InputError where there is no dark line.
    """
    _check_length(diameter_mm)
    widths = widths_across(radiograph.transmission, start_px, end_px, _aspect(radiograph))
    width = float(np.median(widths))
    spread = 1.4826 * float(np.median(np.abs(widths - width)))
    least = half_depth_width(float(np.exp(-STEEL_PER_MM * diameter_mm)))
    factor = (1 + least) / 2
    parts = spread / width / np.sqrt(max(1, len(widths) / 3)), (1 - factor) / factor, BLUR_PX / width
    return Calibration(
        diameter_mm * factor / width,
        float(np.linalg.norm(parts)),
        f"wire of {diameter_mm:g} mm, {width:.1f} pixels across ({len(widths)} places)",
    )


def calibrate_length(radiograph: Radiograph, start_px: Point, end_px: Point, length_mm: float) -> Calibration:
    """From two points (column, row) a known length apart, on a line across the beam.

    Raises InputError where they are nearer than ten pixels: picking would decide the scale.
    """
    _check_length(length_mm)
    columns, rows = np.subtract(end_px, start_px)
    pixels = float(np.hypot(columns, rows * _aspect(radiograph)))
    if pixels < 10:
        raise InputError("the two points are less than 10 pixels apart: pick a longer distance")
    return Calibration(
        length_mm / pixels,
        float(np.sqrt(2) * PICKING_PX / pixels),
        f"length of {length_mm:g} mm, {pixels:.1f} pixels",
    )


def calibrate_intensifier(radiograph: Radiograph, diameter_mm: float) -> Calibration:
    """From the round field of an image intensifier of known diameter, in the plane of the detector.

    The diameter in a data sheet is nominal: 5 % uncertainty are assumed. Raises InputError without a round field.
    """
    _check_length(diameter_mm)
    circle = find_field(radiograph.transmission, dark=True)[0]
    if circle is None:
        raise InputError("no round field of an image intensifier is seen: calibrate with a marker")
    return Calibration(
        diameter_mm / (2 * circle.radius),
        0.05,
        f"intensifier of {diameter_mm:g} mm, {2 * circle.radius:.1f} pixels across",
        at_detector=True,
    )


def half_depth_width(transmission: float) -> float:
    """Full width at half depth of a cylinder's shadow, as a part of its diameter, by the transmission at its axis.

    From sqrt(3) / 2 for one that hardly absorbs to 1 for one that lets nothing through.
    """
    chord = np.log((1 + transmission) / 2) / np.log(transmission)
    return float(np.sqrt(1 - chord**2))


def _aspect(radiograph: Radiograph) -> float:
    """Spacing between rows over spacing between columns: the shape of a pixel does not need calibrating."""
    between_rows, between_columns = radiograph.geometry.pixel_spacing_mm.value
    return between_rows / between_columns


def _check_length(length_mm: float) -> None:
    if not (np.isfinite(length_mm) and length_mm > 0):
        raise InputError(f"a known length of {length_mm:g} mm is no length: it must be positive")
