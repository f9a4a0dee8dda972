"""The checks of a fit to radiographs. A result that fails is returned and marked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2

from mri2mesh.quality.closed_surface import closed_surface
from mri2mesh.reconstruction import Check, ReconstructedStructure

MIN_AGREEMENT = 0.65
"""Correlation of what the image shows with what the surface would, of values or of gradients. Simulated films of
left-out bones, pixels of 1 mm: 0.79 to 0.98 where the fit found its place (187 of 190), 0.33 to 0.54 where it did not.
Bones bent to fit a chest film: 0.49 to 0.61. Fluoroscopy of hips, gradients, pelvis beside the femur: 0.79 to 0.93
where the femur lay within 3 mm in the image, 0.63 where it did not. Mirrored bones reach 0.5 to 0.9: the checks of pose
and side find those."""
COARSE_MM = 3.0
MIN_COARSE_AGREEMENT = 0.4
"""`MIN_AGREEMENT` where pixels at the detector are larger than `COARSE_MM`: right bones have 0.55 to 0.79 at 5 mm,
noise 0.15 to 0.19, soft tissue alone 0.20 (femur) to 0.43 (pelvis), another bone 0.16 to 0.39."""
MIN_IN_VIEW = 0.5
"""Least fraction of a structure's vertices inside a field: with more outside all fields it is mostly prior."""
MAX_TURN_DEG = 60.0
"""Largest turn from how the geometry says the patient lies; with more than that, the image is likely another view."""
MAX_DEPTH_SHIFT_MM = 60.0
MOST_DEPTH_SDS = 3.0
"""How many standard deviations from where the geometry says it is a bone may lie along the beam: one view hardly shows
that, and fits of one view have gone 60 mm astray."""
MAX_LANDMARK_MM = 12.0
"""Largest error of landmarks on the detector, root mean square over the landmarks of a view."""
MAX_OUTLINE_MM = 5.0
"""Largest distance on the detector between the outlines of the surface's shadow and of a given mask, root mean
square."""
MAX_RIVAL_MM = 5.0
"""What rivals of the fit add to the standard deviation of its vertices, root mean square over them. Simulated: at most
0.2 in two views and for pelvises of left-out subjects, mostly 0 for femora in one view but 8 to 25 where the tilt is
open; 6 to 95 for noise, soft tissue, ribs and other bones, which no place explains well."""
MAX_MIRRORED_MARGIN = 0.02
"""Margin by which the mirror image of a bone may agree better with the images than the bone. Simulated femora, 7
left-out ones at 1 mm pixels: -0.13 to -0.09, mirrored 0.08 to 0.15; 3 at 5 mm pixels, in one and two views, with and
without landmarks: -0.17 to -0.04, mirrored 0.03 to 0.15."""
MAX_NOT_SEEN = 0.2
"""Largest share of what a bone's shadow should show that lies in parts the image does not agree with. Simulated films
of whole hip regions of left-out people: at most 0.06 for pelves and femora within 2 mm, but 0.16 for a femur within 1.3
whose shaft is tilted; 0.22 for a femur with its shaft on a wrong edge (3 mm), 0.25 for a pelvis with a misplaced
sacrum, 0.33 to 0.6 for pelves that had not come to their place (2.0 to 5.4)."""
RARE = 0.001
"""Fraction of the population: a shape that fewer have is not plausible."""


def check_fit(
    structures: Sequence[ReconstructedStructure],
    agreement: Sequence[float],
    coefficients: np.ndarray,
    turn_deg: float,
    depth_shift_mm: float,
    landmarks_mm: Sequence[float],
    outlines_mm: Sequence[float] = (),
    least_agreement: float = MIN_AGREEMENT,
    depth_sd_mm: float = MAX_DEPTH_SHIFT_MM,
) -> list[Check]:
    """All checks: surface and field of each structure, agreement of each view, shape, displacement, landmarks.

    agreement: per view, 0 to 1; least_agreement: what is enough of it. coefficients: [M] standard deviations.
    turn_deg, depth_shift_mm: from the expected pose. depth_sd_mm: how surely the geometry says that depth.
    landmarks_mm: per view with landmarks their root-mean-square distance on the detector. outlines_mm: per view with a
    mask the same of the outlines.
    """
    checks = []
    most_depth = min(MAX_DEPTH_SHIFT_MM, MOST_DEPTH_SDS * depth_sd_mm)
    for item in structures:
        checks += [closed_surface(item), _in_view(item)]
    checks += [_agreement(number, value, least_agreement) for number, value in enumerate(agreement, 1)]
    checks.append(_plausible(coefficients))
    checks.append(
        Check(
            "orientation",
            turn_deg,
            MAX_TURN_DEG,
            turn_deg <= MAX_TURN_DEG,
            f"turned by {turn_deg:.0f} degrees from how the geometry says the patient lies",
        )
    )
    checks.append(
        Check(
            "depth",
            depth_shift_mm,
            most_depth,
            depth_shift_mm <= most_depth,
            f"{depth_shift_mm:.0f} mm along the beam from the expected depth",
        )
    )
    checks += [
        _distance(
            "landmarks", distance, MAX_LANDMARK_MM, "the landmarks lie {:.1f} mm from where they were picked"
        )
        for distance in landmarks_mm
    ]
    checks += [
        _distance("outline", distance, MAX_OUTLINE_MM, "the outline lies {:.1f} mm from that of the mask")
        for distance in outlines_mm
    ]
    return checks


def unambiguous(spread_mm: float, apart_mm: float, turn_deg: float) -> Check:
    """Whether another pose explains the images about as well.

    spread_mm: what rivals add to the standard deviation of the vertices. apart_mm, turn_deg: how far the most probable
    of them is, root mean square over the vertices, and turned.
    """
    good = spread_mm <= MAX_RIVAL_MM
    detail = (
        "no other pose explains the images about as well"
        if good
        else f"another pose, {turn_deg:.0f} degrees and {apart_mm:.0f} mm from this one, explains the images about as "
        "well: give a second view or landmarks"
    )
    return Check("unambiguous pose", spread_mm, MAX_RIVAL_MM, good, detail)


def side(agreement: float, mirrored: float) -> Check:
    """Whether a bone of one side agrees better with the images than its mirror image does. Both 0 to 1."""
    margin = mirrored - agreement
    good = margin <= MAX_MIRRORED_MARGIN
    detail = (
        f"the bone agrees by {agreement:.2f}, its mirror image by {mirrored:.2f}"
        if good
        else f"the image may be mirrored or of the other side: the other side's bone explains it better "
        f"({mirrored:.2f} against {agreement:.2f})"
    )
    return Check("side", margin, MAX_MIRRORED_MARGIN, good, detail)


def diverged(why: str) -> Check:
    """The failed check of a fit that has no result."""
    return Check("fit converged", 0.0, 1.0, passed=False, detail=f"the fit diverged: {why}")


def _in_view(item: ReconstructedStructure) -> Check:
    share = float(item.support.mean())
    detail = f"{100 * share:.0f}% of the surface falls on usable pixels of an image"
    return Check("field of view", share, MIN_IN_VIEW, share >= MIN_IN_VIEW, detail, item.name)


def _agreement(number: int, value: float, least: float) -> Check:
    detail = f"image {number} and the surface's own shadow correlate by {value:.2f}"
    good = math.isfinite(value) and value >= least
    return Check("agreement with the image", value, least, good, detail, f"image {number}")


def seen_all_over(number: int, not_seen: float) -> Check:
    """Whether an image, counted from 1, shows all parts of the surface where they lie."""
    detail = f"image {number} does not show {100 * not_seen:.0f}% of the surface's shadow where it lies"
    good = math.isfinite(not_seen) and not_seen <= MAX_NOT_SEEN
    return Check("seen all over", not_seen, MAX_NOT_SEEN, good, detail, f"image {number}")


def _plausible(coefficients: np.ndarray) -> Check:
    distance = float(np.linalg.norm(coefficients))
    limit = float(np.sqrt(chi2.ppf(1 - RARE, len(coefficients))))
    detail = f"the shape is {distance:.1f} standard deviations from the mean of {len(coefficients)} modes"
    return Check("plausible shape", distance, limit, distance <= limit, detail)


def _distance(name: str, value: float, limit: float, sentence: str) -> Check:
    detail = sentence.format(value) + ", root mean square at the detector"
    return Check(name, value, limit, math.isfinite(value) and value <= limit, detail)
