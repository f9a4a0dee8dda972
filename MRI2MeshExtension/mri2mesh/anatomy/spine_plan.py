"""What a spine is to look like, before there is any surface: poses, sizes, disc heights and what is wrong
with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from mri2mesh.anatomy.discs import Bulge
from mri2mesh.anatomy.population import (
    SpinePopulation,
    SpinePosture,
    features_from_posture,
    posture_from_features,
)
from mri2mesh.anatomy.structures import DISC_LEVELS, VERTEBRA_LEVELS

DISC_HEIGHT_MM = np.array([3.6, 3.8, 4.2, 4.7, 5.4, 6.6, 7.9, 9.0, 10.0, 10.6, 9.4])
"""Mean mid-disc heights T7-T8 to L5-S1. Rounded from published in-vivo measurements (Frobin et al. 1997;
Zhou et al. 2000; Kunkel et al. 2011 for thoracic levels)."""
DISC_HEIGHT_SUBJECT_SD, DISC_HEIGHT_LEVEL_SD = 0.12, 0.08
_HEIGHT_SD_MM, _DISC_SD_MM = 1.0, 0.7
"""How stiffly body and disc heights hold to their expectation when together they must fill the spacing."""
SACRAL_SLOPE_DEG = (37.0, 8.5)
"""Mean and SD lying down; a few degrees more standing."""
LUMBOSACRAL_ANGLE_DEG = (9.0, 28.0)
"""Least and most between the midplane of L5 and the endplate of S1: half of L5's own wedge (about 3) and the
disc's."""
LEAST_DISC_MM = 2.2


@dataclass
class Deformity:
    """Changes to the surface of one vertebra, in its own frame; see `mri2mesh.anatomy.pathology`.

    wedge, biconcave: fraction of the height lost anteriorly, in the middle. osteophytes_mm: growth of the
    upper and the lower rim. arch_shift_mm: how far the arch stays behind the body. transverse_scale:
    broadened transverse processes.
    """

    wedge: float = 0.0
    biconcave: float = 0.0
    osteophytes_mm: tuple[float, float] = (0.0, 0.0)
    arch_shift_mm: float = 0.0
    transverse_scale: float = 1.0


@dataclass
class SpinePlan:
    """T7 to L5 from head to foot; arrays are changed in place by the functions of
    `mri2mesh.anatomy.pathology`.

    body_heights: [11] mm at mid-body. disc_heights: [11], the disc below each level. width_factors,
    depth_factors: [11] relative to the mean of the level. sacrum_angles: [3] as in `SpinePosture`, of the
    upper endplate of S1. slips_mm: [11] forward shift of a level against the one below, beyond the posture's
    own. notes: findings in words.
    """

    posture: SpinePosture
    body_heights: NDArray[np.float64]
    disc_heights: NDArray[np.float64]
    width_factors: NDArray[np.float64]
    depth_factors: NDArray[np.float64]
    sacrum_angles: NDArray[np.float64]
    slips_mm: NDArray[np.float64]
    bulges: list[Bulge]
    deformities: list[Deformity]
    notes: list[str] = field(default_factory=list)

    def turn(self, change_deg: NDArray) -> None:
        """Adds [11, 3] angles to the posture; the centres follow along the turned spine, L3 stays in
        place."""
        features = features_from_posture(self.posture)
        n = len(VERTEBRA_LEVELS)
        features[: n * 5].reshape(n, 5)[:, :3] += change_deg
        self.posture = posture_from_features(features)


def draw_plan(population: SpinePopulation, rng: np.random.Generator, spread: float = 1.0) -> SpinePlan:
    """A healthy spine of the population; sizes agree from level to level as they do in one person."""
    mean = population.mean_posture
    posture = _without_reading_noise(population.sample(rng, spread))
    expected_disc = DISC_HEIGHT_MM * (posture.spacings.mean() / mean.spacings.mean())
    expected_disc = expected_disc * np.exp(
        np.clip(rng.standard_normal(), -2, 2) * DISC_HEIGHT_SUBJECT_SD * spread
    )
    expected_disc = expected_disc * np.exp(
        np.clip(rng.standard_normal(11), -2, 2) * DISC_HEIGHT_LEVEL_SD * spread
    )
    usual_body, _ = fill_spacings(mean.spacings, None, DISC_HEIGHT_MM)
    body, disc = fill_spacings(
        posture.spacings, usual_body * (posture.spacings.mean() / mean.spacings.mean()), expected_disc
    )
    tilt = posture.angles[-1, 0]
    slope_mean, slope_sd = SACRAL_SLOPE_DEG
    regression = 0.75
    slope = slope_mean - regression * (tilt - mean.angles[-1, 0])
    slope += np.clip(rng.standard_normal(), -2, 2) * slope_sd * np.sqrt(1 - regression**2)
    slope = np.clip(slope, -tilt + LUMBOSACRAL_ANGLE_DEG[0], -tilt + LUMBOSACRAL_ANGLE_DEG[1])
    return SpinePlan(
        posture=posture,
        body_heights=body,
        disc_heights=disc,
        width_factors=_size_factors(posture.widths, mean.widths, 1.0),
        depth_factors=_size_factors(posture.depths, mean.depths, 0.75),
        sacrum_angles=np.array([-slope, 0.5 * posture.angles[-1, 1], 0.8 * posture.angles[-1, 2]]),
        slips_mm=np.zeros(11),
        bulges=[Bulge(around_mm=float(rng.uniform(0.2, 1.2))) for _ in DISC_LEVELS],
        deformities=[Deformity() for _ in VERTEBRA_LEVELS],
    )


def fill_spacings(spacings: NDArray, body: NDArray | None, disc: NDArray) -> tuple[NDArray, NDArray]:
    """Body heights [11] and disc heights [11] nearest to the expected ones such that half a body, a disc and
    half a body make up each spacing [10]. Without expected bodies: the smoothest sequence. The last disc
    (L5-S1) stays as it is."""
    n = len(disc)
    average = (np.eye(n - 1, n) + np.eye(n - 1, n, 1)) / 2
    if body is None:
        smooth = np.diff(np.eye(n), 2, axis=0)
        rows, right = [average, 0.1 * smooth], [spacings - disc[:-1], np.zeros(n - 2)]
    else:
        rows, right = [average / _DISC_SD_MM, np.eye(n) / _HEIGHT_SD_MM], []
        right = [(spacings - disc[:-1]) / _DISC_SD_MM, body / _HEIGHT_SD_MM]
    heights = np.linalg.lstsq(np.concatenate(rows), np.concatenate(right), rcond=None)[0]
    filled = np.append(spacings - average @ heights, disc[-1])
    return heights, np.maximum(filled, LEAST_DISC_MM)


def _size_factors(values: NDArray, usual: NDArray, share: float) -> NDArray[np.float64]:
    """Body size follows this share of the subject's overall ratio, and a quarter of what is special about
    the level: pedicles vary more than bodies."""
    ratio = values / usual
    return np.asarray(np.clip(1 + share * (ratio.mean() - 1) + 0.25 * (ratio - ratio.mean()), 0.75, 1.3))


def _without_reading_noise(posture: SpinePosture) -> SpinePosture:
    """Roll and yaw smoothed along the spine: single pedicle readings scatter by about 2 degrees."""
    features = features_from_posture(posture)
    n = len(VERTEBRA_LEVELS)
    angles = features[: n * 5].reshape(n, 5)[:, 1:3]
    angles[:] = convolve1d(angles, [0.25, 0.5, 0.25], axis=0, mode="nearest")
    return posture_from_features(features)
