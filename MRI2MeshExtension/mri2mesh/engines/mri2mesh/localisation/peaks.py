"""Centres from heat maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, Heat

MEANS = {Heat.BODY: Semantic.BODY, Heat.DISC: Semantic.DISC, Heat.S1: Semantic.SACRUM}

CENTRE_REACH_MM = 6.0


@dataclass(frozen=True)
class Peak:
    """A centre in RAS millimetres; score in 0..1: the heat there and the share of its surroundings that agrees."""

    centre: NDArray[np.float64]
    score: float


def find_peaks(evidence: Evidence, heat: Heat, threshold: float, apart_mm: float = 12.0) -> list[Peak]:
    """Local maxima of a heat map above ``threshold``, no two closer than ``apart_mm``; best first.

    The place is the heat's centre of mass within CENTRE_REACH_MM of the maximum.
    """
    field = evidence.heat[heat]
    beside = [max(round(CENTRE_REACH_MM / spacing), 1) for spacing in reversed(SPACING_MM)]
    reach = [2 * max(round(apart_mm / spacing), 1) + 1 for spacing in reversed(SPACING_MM)]
    highest = ndimage.maximum_filter(field, size=reach)
    maxima = (field == highest) & (field > threshold) & evidence.inside
    agreement = ndimage.uniform_filter(evidence.semantic[MEANS[heat]], size=3)
    peaks = []
    for kji in np.argwhere(maxima):
        window = tuple(slice(max(c - n, 0), c + n + 1) for c, n in zip(kji, beside, strict=True))
        weights = field[window] ** 2
        offset = np.array(ndimage.center_of_mass(weights)) + [w.start for w in window]
        score = float(np.sqrt(field[tuple(kji)] * agreement[tuple(kji)]))
        peaks.append(Peak(evidence.ras_from_kji(offset), score))
    return sorted(peaks, key=lambda peak: -peak.score)
