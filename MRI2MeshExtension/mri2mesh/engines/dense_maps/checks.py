"""How far bones completed from dense maps can be trusted. A result that fails is returned and marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from mri2mesh.geometry.overlap import dice
from mri2mesh.quality.closed_surface import closed_surface
from mri2mesh.reconstruction import Check, ReconstructedStructure

MIN_DICE = 0.8
MAX_APART_MM = 12.0
MAX_TURN_DEG = 45.0
MIN_CERTAINTY = 0.6
RARE = 0.001
"""Fraction of the population: a shape that fewer have is not plausible."""


def outline_agreement(name: str, seen: NDArray[np.bool_], surface: NDArray[np.bool_]) -> Check:
    """Dice of what the network takes for the bone and of the finished surface's shadow [H, W]."""
    overlap = dice(seen, surface)
    detail = f"the surface's shadow and what the film shows of the bone overlap by {overlap:.2f} (Dice)"
    return Check("agreement with the image", overlap, MIN_DICE, overlap >= MIN_DICE, detail, name)


def surface_checks(item: ReconstructedStructure, least: float) -> list[Check]:
    """Whether it is a solid, and how much of it is seen. least: share of its surface that the film must show."""
    share = float(item.support.mean())
    detail = f"the film shows {100 * share:.0f}% of the surface, the rest is completed"
    return [
        closed_surface(item),
        Check("field of view", share, least, share >= least, detail, item.name),
    ]


def fit_checks(
    name: str,
    apart_mm: float,
    turn_deg: float,
    coefficients: NDArray,
    certainty: float,
    *,
    most_apart_mm: float = MAX_APART_MM,
    most_turn_deg: float = MAX_TURN_DEG,
) -> list[Check]:
    """Of what was completed as a whole. apart_mm: median distance of the samples from where the surface has them.
    turn_deg: from how patients lie or stand. coefficients: [M] standard deviations."""
    distance = float(np.linalg.norm(coefficients))
    limit = float(np.sqrt(chi2.ppf(1 - RARE, len(coefficients))))
    return [
        Check(
            "depth maps fit one bone", apart_mm, most_apart_mm, apart_mm <= most_apart_mm,
            f"half of the pixels are within {apart_mm:.1f} mm of where the finished surface has them", name,
        ),
        Check(
            "orientation", turn_deg, most_turn_deg, turn_deg <= most_turn_deg,
            f"turned by {turn_deg:.0f} degrees from how the geometry says the patient lies", name,
        ),
        Check(
            "plausible shape", distance, limit, distance <= limit,
            f"the shape is {distance:.1f} standard deviations from the mean of {len(coefficients)} modes", name,
        ),
        Check(
            "bones are told apart", certainty, MIN_CERTAINTY,
            math.isfinite(certainty) and certainty >= MIN_CERTAINTY,
            f"the network is sure by {certainty:.2f} of 1 of what is bone", name,
        ),
    ]  # fmt: skip


def without_scale(checks: Sequence[Check]) -> list[Check]:
    """That say of their millimetres that they are assumed."""
    return [
        replace(check, detail=f"{check.detail} (scale unknown)") if " mm" in check.detail else check
        for check in checks
    ]
