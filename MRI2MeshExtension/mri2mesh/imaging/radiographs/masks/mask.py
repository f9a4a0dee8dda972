"""What of a radiograph must not be fitted, by kind: outside the field, burned-in marks, metal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.imaging.radiographs.masks.field_shapes import Edge, find_field
from mri2mesh.imaging.radiographs.masks.metal import metal_mask
from mri2mesh.imaging.radiographs.masks.overlay import overlay_mask
from mri2mesh.imaging.radiographs.radiograph import Radiograph

CIRCLE_MARGIN, BLADE_MARGIN = 0.004, 0.01
"""Fractions of the longer side: the rim of an intensifier is blurred, the shadow of a blade more so."""


BLACK = 0.04
"""Fraction of the median in the field below which a pixel is black."""

LEAST_FIELD = 0.05
"""Least fraction of the image that a field covers. Whoever irradiates less saves a smaller image; what looks like it is
air around a narrow body part."""


def with_masks(radiograph: Radiograph) -> Radiograph:
    """The radiograph with what its pixels show to be unusable added to what its file says is."""
    transmission = radiograph.transmission
    areas = dict(radiograph.unusable)
    found = field_masks(transmission)
    field = np.ones(transmission.shape, dtype=bool)
    for area in [*areas.values(), *found.values()]:
        field &= ~area
    if not field.any():
        return radiograph
    found["unexposed"] = _unexposed(transmission, field)
    field &= ~found["unexposed"]
    # Marks are drawn into the picture as it is looked at, which is not linear in the beam.
    shown = 1 - radiograph.pixels / max(float(radiograph.pixels.max()), 1e-6)
    found |= {"overlay": overlay_mask(shown), "metal": metal_mask(radiograph.pixels, field)}
    for kind, area in found.items():
        if area.any():
            areas[kind] = areas[kind] | area if kind in areas else area
    return replace(radiograph, unusable=areas)


def field_masks(transmission: NDArray) -> dict[str, NDArray[np.bool_]]:
    """``"intensifier"`` and ``"collimator"``, where there is one, to [rows, columns] True outside.

    transmission: [rows, columns] in 0..1, larger where more of the beam came through. Lead lets nothing
    through: its edges may lie at any angle. At the other end of the scale lies air beside the patient, so only
    what software blanks is taken for a field there: a circle, or edges along the rows and columns.
    """
    rows, columns = np.mgrid[: transmission.shape[0], : transmission.shape[1]].astype(np.float32)
    size = max(transmission.shape)
    circle, edges = find_field(transmission, dark=True)
    if circle is None and not edges:
        circle, edges = find_field(transmission, dark=False)
        edges = [edge for edge in edges if edge.aligned]
    masks: dict[str, NDArray[np.bool_]] = {}
    if circle is not None:
        masks["intensifier"] = circle.beyond(columns, rows) > -CIRCLE_MARGIN * size
    if edges:
        masks["collimator"] = _behind(edges, columns, rows, BLADE_MARGIN * size)
    outside = np.zeros(transmission.shape, dtype=bool)
    for mask in masks.values():
        outside |= mask
    return masks if 1 - outside.mean() >= LEAST_FIELD else {}


def _unexposed(transmission: NDArray, field: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[rows, columns]; True in areas of the field where the detector received nothing, not just along a line."""
    unit = max(transmission.shape) / 1024
    smooth = ndimage.gaussian_filter(transmission, unit)
    black = field & (smooth <= BLACK * np.median(smooth[field]))
    return np.asarray(ndimage.binary_opening(black, iterations=max(1, round(4 * unit))))


def round_field_is_dark(picture: NDArray) -> bool | None:
    """Whether the outside of a round field is dark (True) or bright (False); None without a round field."""
    for dark in (True, False):
        if find_field(picture, dark=dark)[0] is not None:
            return dark
    return None


def _behind(edges: list[Edge], columns: NDArray, rows: NDArray, margin: float) -> NDArray[np.bool_]:
    behind = np.zeros(columns.shape, dtype=bool)
    for edge in edges:
        behind |= edge.beyond(columns, rows) > -margin
    return behind
