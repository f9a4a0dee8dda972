"""Which way a stored radiograph lies in the patient, and where on the detector it was taken from.

The physical detector is described as seen from behind, looking towards the source (PS3.3 C.8.19.6.13.1.2);
the field of view read out of it was turned clockwise by Field of View Rotation (0018,7032), then mirrored
where Field of View Horizontal Flip (0018,7034) is YES, and so stored (C.8.11.4.1.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.coordinates import flip_ras_lps
from mri2mesh.imaging.radiographs.tags.values import FrameTags, called
from mri2mesh.imaging.radiographs.xray_geometry import SeenFrom, XrayGeometry

LPS_OF_LETTER = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
}  # fmt: skip
LEAST_COSINE = 0.3
"""A letter of Patient Orientation may be this far (73 degrees) from an image axis of an oblique view."""


def with_detector(
    tags: FrameTags, geometry: XrayGeometry, *, c_arm: bool
) -> tuple[XrayGeometry, tuple[str, ...]]:
    """The geometry with orientation and principal point from the tags, and what had to be assumed.

    Patient Orientation (0020,0020) speaks of the stored pixels and is believed first. Without it the image
    of a C-arm is taken to come from a detector whose top points to the patient's head (to the feet for a
    Patient Position (0018,5100) of feet first); any other is taken to be stored as it is hung.
    Raises InputError where Patient Orientation does not fit the angles.
    """
    turned, flipped = _rotation(tags), tags.word("FieldOfViewHorizontalFlip") == "YES"
    point = _principal_point(tags, geometry, turned or 0, flipped)
    if point is not None:
        geometry = geometry.with_values("tag", principal_point_px=point)
    letters = tags.get("PatientOrientation")
    if letters is not None and not isinstance(letters, str) and len(letters) == 2:
        return _as_in_the_patient(str(letters[0]), str(letters[1]), geometry), ()
    if not c_arm or turned is None:
        return geometry, (f"no {called('PatientOrientation')}: the image is taken to be hung from the front",)
    warnings: tuple[str, ...] = ()
    if tags.word("PatientPosition").startswith("FF"):
        turned, warnings = (
            (turned + 180) % 360,
            ("feet first on the table: the detector's top is at the feet",),
        )
    # Turned and then mirrored is the same as mirrored and then turned the other way.
    seen_from: SeenFrom = "source" if flipped else "detector"
    return (
        geometry.with_values(
            "tag", seen_from=seen_from, image_rotation_deg=-turned % 360 if flipped else turned
        ),
        warnings,
    )


def _rotation(tags: FrameTags) -> int | None:
    """Field of View Rotation in degrees clockwise; None where absent."""
    value = tags.number("FieldOfViewRotation")
    if value is None:
        return None
    if value % 90:
        raise InputError(
            f"the DICOM {called('FieldOfViewRotation')} is {value:g}, it must be 0, 90, 180 or 270: "
            "give the geometry with --camera"
        )
    return int(value) % 360


def _as_in_the_patient(row: str, column: str, geometry: XrayGeometry) -> XrayGeometry:
    """The one of the eight ways to store the image whose axes run as Patient Orientation says."""
    wanted = [_direction(row), _direction(column)]
    sides: tuple[SeenFrom, ...] = ("detector", "source")
    ways = [
        geometry.with_values("tag", seen_from=side, image_rotation_deg=turn)
        for side in sides
        for turn in (0, 90, 180, 270)
    ]
    cosines = np.array([[way.camera().axes_ras[n] @ wanted[n] for n in range(2)] for way in ways])
    best = int(np.argmax(cosines.sum(axis=1)))
    if cosines[best].min() < LEAST_COSINE:
        raise InputError(
            f"the DICOM tags contradict each other ({called('PatientOrientation')} is {row}, {column}, which does "
            f"not fit a primary angle of {geometry.primary_angle_deg.value:g} and a secondary angle of "
            f"{geometry.secondary_angle_deg.value:g} degrees): give the geometry with --camera"
        )
    return ways[best]


def _direction(letters: str) -> NDArray[np.float64]:
    """[3] unit vector in RAS for "L", "HL", ...: later letters count half as much as the one before."""
    vectors = [LPS_OF_LETTER.get(letter) for letter in letters.upper()]
    if not vectors or None in vectors:
        raise InputError(
            f"the DICOM {called('PatientOrientation')} must be letters of A, P, R, L, H, F: "
            "give the geometry with --camera"
        )
    direction = sum(np.array(vector, dtype=np.float64) / 2**n for n, vector in enumerate(vectors))
    return flip_ras_lps(direction / np.linalg.norm(direction))


def _principal_point(
    tags: FrameTags, geometry: XrayGeometry, turned: int, flipped: bool
) -> tuple[float, float] | None:
    """(column, row) where the central beam meets the image, or None where the tags do not say.

    In detector elements, row first: Position of Isocenter Projection (0018,9430) from the centre of the first
    element; else the middle of the active area, Detector Active Origin (0018,7028) and Active Dimension(s)
    (0018,7026), or of Physical Detector Size (0018,9429). Field of View Origin (0018,7030) is where the image
    begins, its pixels are as many elements wide as Imager Pixel Spacing holds Detector Element Spacings
    (0018,7022), or as Detector Binning (0018,701A) says.
    """
    begins, element = tags.numbers("FieldOfViewOrigin", 2), tags.numbers("DetectorElementSpacing", 2)
    if begins is None:
        return None
    element_mm = np.array(element) if element and min(element) > 0 else None
    binned = _elements_per_pixel(tags, geometry, turned, element_mm)
    middle = _middle(tags, element_mm)
    if binned is None or middle is None:
        return None
    row, column = (middle - np.array(begins) - (binned - 1) / 2) / binned
    rows, columns = geometry.size.value if turned % 180 == 0 else geometry.size.value[::-1]
    for _ in range(turned // 90):
        row, column, rows, columns = column, rows - 1 - row, columns, rows
    return float(columns - 1 - column if flipped else column), float(row)


def _elements_per_pixel(
    tags: FrameTags, geometry: XrayGeometry, turned: int, element_mm: NDArray | None
) -> NDArray[np.float64] | None:
    """[2] along rows and columns of the detector."""
    spacing = tags.numbers("ImagerPixelSpacing", 2)
    if element_mm is not None and spacing is not None:
        across = np.array(spacing if turned % 180 == 0 else spacing[::-1])
        return np.asarray(across / element_mm)
    binning = tags.numbers("DetectorBinning", 2)
    return np.array(binning) if binning and min(binning) > 0 else None


def _middle(tags: FrameTags, element_mm: NDArray | None) -> NDArray[np.float64] | None:
    """[2] (row, column) in detector elements, 0 at the centre of the first one."""
    isocentre = tags.numbers("PositionOfIsocenterProjection", 2)
    if isocentre is not None:
        return np.array(isocentre)
    if element_mm is None:
        return None
    origin = tags.numbers("DetectorActiveOrigin")
    size_mm = tags.numbers("DetectorActiveDimensions")
    if size_mm is None:
        origin, size_mm = (0.0, 0.0), tags.numbers("PhysicalDetectorSize", 2)
    if origin is None or size_mm is None or len(origin) != 2:
        return None
    # A single dimension is the diameter of a round detector.
    size = np.array(size_mm if len(size_mm) == 2 else (size_mm[0], size_mm[0]))
    return np.asarray(np.array(origin) + size / element_mm / 2 - 0.5)
