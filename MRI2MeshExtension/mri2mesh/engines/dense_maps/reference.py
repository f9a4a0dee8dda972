"""How far from the source the bones are expected, from what is known of the geometry: one film alone shows it least."""

from __future__ import annotations

from mri2mesh.engines.dense_maps.inputs import STANDARD_REFERENCE_SD_MM, Reference
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry

ISOCENTRE_SD_MM = 20.0
"""How far bones lie from where tags or a user say the isocentre is, along the beam: as films of training were made."""
ASSUMED_SD_MM = 35.0
"""How far off the usual share of the distance to the detector may be."""


def reference_of(geometry: XrayGeometry, to_detector_mm: float | None, option: str) -> Reference:
    """to_detector_mm: from the middle of the region to the detector along the beam, where that is known. option: that
    gives it, as on the command line.

    Raises InputError for a distance that the geometry has no room for.
    """
    if to_detector_mm is None:
        known = geometry.source_to_isocentre_mm
        return Reference(known.value, ASSUMED_SD_MM if known.origin == "default" else ISOCENTRE_SD_MM)
    depth = geometry.source_to_detector_mm.value - to_detector_mm
    if depth <= 0.4 * geometry.source_to_detector_mm.value:
        raise InputError(
            f"{option} {to_detector_mm:g}: the source is only "
            f"{geometry.source_to_detector_mm.value:g} mm from the detector, correct one of both"
        )
    return Reference(depth, STANDARD_REFERENCE_SD_MM)
