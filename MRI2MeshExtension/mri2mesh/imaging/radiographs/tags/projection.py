"""Distances, pixel spacing and angles of a radiograph from its DICOM attributes; contradictions are refused.

PS3.3: XA Positioner C.8.7.5, XRF Positioner C.8.7.6, DX Positioning C.8.11.5, Enhanced XA X-Ray Geometry and
Positioner C.8.19.6.10 and .14, Pixel Spacing Calibration 10.7.
"""

from __future__ import annotations

from dataclasses import replace

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.tags.values import CORRECT_IT, FrameTags, called
from mri2mesh.imaging.radiographs.xray_geometry import Known, XrayGeometry, with_distances

SAME_MAGNIFICATION = 0.02
SAME_SPACING = 0.01
"""Largest difference, relative, of values that are meant to be equal."""
VIEW_ANGLE_DEG = {"AP": 180.0, "PA": 0.0, "LL": 90.0, "RL": -90.0}
"""View Position (0018,5101) to the primary angle: LL and RL are laterals with that side at the detector."""
SAME_VIEW_DEG = 60.0
TILT_DEG = 0.5

Pair = tuple[float, float]


def with_projection(tags: FrameTags, geometry: XrayGeometry) -> tuple[XrayGeometry, tuple[str, ...]]:
    """The geometry with what the tags say of distances, spacing and angles, and what had to be assumed.

    Raises InputError for values that are not numbers, not possible, or contradict each other.
    """
    warnings: list[str] = []
    geometry = _with_distances(tags, geometry, warnings)
    geometry = _with_spacing(tags, geometry, warnings)
    geometry = _with_angles(tags, geometry, warnings)
    for keyword in ("DetectorPrimaryAngle", "DetectorSecondaryAngle", "ColumnAngulation"):
        if abs(tags.number(keyword) or 0) > TILT_DEG:
            warnings.append(
                f"the beam is tilted against the detector ({called(keyword)}): this is not modelled"
            )
    return geometry, tuple(warnings)


def _with_distances(tags: FrameTags, geometry: XrayGeometry, warnings: list[str]) -> XrayGeometry:
    sid = _distance(tags, "DistanceSourceToDetector", warnings)
    sod = _distance(tags, "DistanceSourceToIsocenter", warnings)
    if sod is None:
        sod = _distance(tags, "DistanceSourceToPatient", warnings)
        if sod is not None and tags.word("Modality") in ("DX", "CR"):
            warnings.append(
                f"{called('DistanceSourceToPatient')} of a table radiograph is measured to the table: "
                "the middle of the patient is nearer to the source"
            )
    if sid is not None and sod is not None and sod >= sid:
        raise _contradiction(
            f"{called('DistanceSourceToPatient')} is {sod:g} mm, "
            f"{called('DistanceSourceToDetector')} {sid:g} mm: the patient lies before the detector"
        )
    magnification = tags.number("EstimatedRadiographicMagnificationFactor") or None
    if magnification is not None and magnification < 1:
        raise _contradiction(
            f"{called('EstimatedRadiographicMagnificationFactor')} is {magnification:g}, it is at least 1"
        )
    if magnification and sid and sod and abs(magnification * sod / sid - 1) > SAME_MAGNIFICATION:
        raise _contradiction(
            f"{called('EstimatedRadiographicMagnificationFactor')} is {magnification:g}, "
            f"the distances of {sid:g} and {sod:g} mm give {sid / sod:.3f}"
        )
    if magnification and sid is None and sod is not None:
        sid = sod * magnification
    if magnification and sod is None and sid is not None:
        sod = sid / magnification
    return with_distances(
        geometry,
        None if sid is None else Known(sid, "tag"),
        None if sod is None else Known(sod, "tag"),
    )


def _distance(tags: FrameTags, keyword: str, warnings: list[str]) -> float | None:
    value = tags.number(keyword)
    if value is not None and value < 0:
        raise InputError(f"the DICOM {called(keyword)} is {value:g} mm, it must be positive: {CORRECT_IT}")
    if value == 0:  # what many systems write for a distance they do not know
        warnings.append(f"{called(keyword)} is 0 mm: taken as unknown")
    return value or None


def _with_spacing(tags: FrameTags, geometry: XrayGeometry, warnings: list[str]) -> XrayGeometry:
    detector = _spacing(tags, "ImagerPixelSpacing") or _spacing(tags, "NominalScannedPixelSpacing")
    patient = _spacing(tags, "PixelSpacing")
    if detector is not None:
        geometry = geometry.with_values("tag", pixel_spacing_mm=detector)
        return _with_magnification(detector, patient, geometry, warnings) if patient else geometry
    if patient is None:
        return geometry
    kind = tags.word("PixelSpacingCalibrationType")
    if kind not in ("GEOMETRY", "FIDUCIAL"):
        warnings.append(
            f"{called('PixelSpacing')} does not say whether it holds at the detector or in the patient: "
            "taken at the detector"
        )
        return geometry.with_values("tag", pixel_spacing_mm=patient)
    # In the patient: taken at the isocentre, where the scale is then right whatever the distances are.
    larger = geometry.source_to_detector_mm.value / geometry.source_to_isocentre_mm.value
    if geometry.source_to_isocentre_mm.origin == "default":
        warnings.append(
            f"{called('PixelSpacing')} holds in the patient, and the distances are not known: "
            "the scale is right at the isocentre only"
        )
    return geometry.with_values(
        "calibrated" if kind == "FIDUCIAL" else "tag",
        pixel_spacing_mm=(patient[0] * larger, patient[1] * larger),
    )


def _with_magnification(
    detector: Pair, patient: Pair, geometry: XrayGeometry, warnings: list[str]
) -> XrayGeometry:
    """Both spacings are given: their ratio is the magnification, where they differ (PS3.3 10.7.1.1)."""
    by_row, by_column = detector[0] / patient[0], detector[1] / patient[1]
    both = f"{called('ImagerPixelSpacing')} {detector} mm and {called('PixelSpacing')} {patient} mm"
    if abs(by_row / by_column - 1) > SAME_SPACING:
        raise _contradiction(f"{both} differ in the shape of a pixel")
    if by_row < 1 - SAME_SPACING:
        raise _contradiction(f"{both}: a pixel is never larger in the patient than at the detector")
    if by_row < 1 + SAME_SPACING:
        return geometry
    sid, sod = geometry.source_to_detector_mm, geometry.source_to_isocentre_mm
    if sod.origin == "default":
        return replace(geometry, source_to_isocentre_mm=Known(sid.value / by_row, sid.origin))
    if abs(by_row * sod.value / sid.value - 1) > SAME_MAGNIFICATION:
        warnings.append(
            f"{called('PixelSpacing')} is corrected for a magnification of {by_row:.2f}, the distances give "
            f"{sid.value / sod.value:.2f}: the distances are used"
        )
    return geometry


def _spacing(tags: FrameTags, keyword: str) -> Pair | None:
    found = tags.numbers(keyword, 2)
    if found is None:
        return None
    if min(found) <= 0:
        raise InputError(
            f"the DICOM {called(keyword)} is {min(found):g} mm, it must be positive: {CORRECT_IT}"
        )
    return found[0], found[1]


def _with_angles(tags: FrameTags, geometry: XrayGeometry, warnings: list[str]) -> XrayGeometry:
    primary = tags.number("PositionerPrimaryAngle")
    secondary = tags.number("PositionerSecondaryAngle")
    view = VIEW_ANGLE_DEG.get(tags.word("ViewPosition"))
    if primary is not None and view is not None:
        apart = abs((primary - view + 180) % 360 - 180)
        if apart > SAME_VIEW_DEG:
            raise _contradiction(
                f"{called('PositionerPrimaryAngle')} is {primary:g} degrees, "
                f"{called('ViewPosition')} is {tags.word('ViewPosition')}, which is {view:g}"
            )
    if primary is None:
        primary = view
    if primary is None:
        side = "behind" if geometry.primary_angle_deg.value else "in front of"
        warnings.append(f"no positioner angles and no view position: detector {side} the patient assumed")
    else:
        geometry = geometry.with_values("tag", primary_angle_deg=primary)
    if secondary is not None:
        geometry = geometry.with_values("tag", secondary_angle_deg=secondary)
    return geometry


def _contradiction(what: str) -> InputError:
    return InputError(f"the DICOM tags contradict each other ({what}): give the geometry with --camera")
