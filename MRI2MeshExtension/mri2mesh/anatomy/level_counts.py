"""How probable it is that the lowest of a row of vertebral bodies is L5, L4 or higher, from their places alone.

The steps from body to body grow from 23 mm at T7 to 36 mm at L4, and turn from kyphosis into lordosis: the population
of `anatomy.population` says how much, and how people differ. Sizes, steps and posture of one person go together there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.population import FEATURES, SpinePopulation
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS

STEP_NOISE_MM, DIRECTION_NOISE_DEG = 1.5, 3.0
"""Standard deviation of what is measured against the true step between two centres."""
LYING_DEG = 8.0
"""Standard deviation of the whole patient's tilt on the table, which all directions share."""
LOWEST = ("L5", "L4", "L3", "L2", "L1")
"""The counts that are compared, each as probable as another before the image is looked at."""

BEYOND = 4
"""Levels above the known ones that a row may reach to: their steps go on as the last two differ, less and less surely.
Without them a long row could only be counted in the way in which all its bodies have names."""
BEYOND_STEP_MM, BEYOND_DIRECTION_DEG = 1.0, 4.0
"""Standard deviation that each of these adds."""

_STEPS = len(VERTEBRA_LEVELS) - 1 + BEYOND


def count_probabilities(centres: NDArray) -> dict[str, float]:
    """Probability that the lowest body is each of `LOWEST`; they sum to one.

    centres: [n, 3] RAS mm of neighbouring whole bodies from head to foot, three or more. With fewer, or more bodies
    than the known levels and BEYOND hold, every count is as probable as another.
    """
    centres = np.asarray(centres, dtype=np.float64)
    possible = [name for name in LOWEST if VERTEBRA_LEVELS.index(name) + BEYOND >= len(centres) - 1]
    if len(centres) < 3 or not possible:
        return {name: 1 / len(LOWEST) for name in LOWEST}
    measured = steps_and_directions(centres)
    likelihood = np.array([_log_likelihood(measured, VERTEBRA_LEVELS.index(name)) for name in possible])
    shares = np.exp(likelihood - likelihood.max())
    shares = shares / shares.sum()
    return {name: 0.0 for name in LOWEST} | {
        name: float(share) for name, share in zip(possible, shares, strict=True)
    }


def steps_and_directions(centres: NDArray) -> NDArray[np.float64]:
    """[2, n - 1]: lengths of the steps from each body to the next below, mm, and their directions in the sagittal
    plane, degrees from the patient's long axis, positive forwards.

    centres: as in `count_probabilities`."""
    steps = np.diff(centres, axis=0)
    return np.stack([np.linalg.norm(steps, axis=1), np.degrees(np.arctan2(steps[:, 1], -steps[:, 2]))])


def _log_likelihood(measured: NDArray, lowest: int) -> float:
    """Of [2, m] steps and directions that end at the body with this number in VERTEBRA_LEVELS."""
    count = measured.shape[1]
    mean, covariance = _expected()
    numbers = np.arange(lowest - count, lowest) + BEYOND
    chosen: Sequence[int] = [*numbers, *(_STEPS + numbers)]
    spread = covariance[np.ix_(chosen, chosen)].copy()
    spread[np.diag_indices(2 * count)] += np.repeat([STEP_NOISE_MM**2, DIRECTION_NOISE_DEG**2], count)
    spread[count:, count:] += LYING_DEG**2
    root = np.linalg.cholesky(spread)
    scaled = np.linalg.solve(root, measured.ravel() - mean[chosen])
    return float(-0.5 * scaled @ scaled - np.log(np.diag(root)).sum())


@lru_cache(maxsize=1)
def _expected() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance of the steps and then their directions, from head to foot, those beyond T7 first.

    A step runs along the axis midway between its two vertebrae, but for the shear: for the small angles of a spine
    the direction is the mean of their tilts plus shear over length.
    """
    population = SpinePopulation.load()
    take = np.zeros((2, _STEPS, len(FEATURES)))
    for number in range(BEYOND, _STEPS):
        upper, lower = VERTEBRA_LEVELS[number - BEYOND : number - BEYOND + 2]
        spacing = FEATURES.index(f"{upper} spacing")
        take[0, number, spacing] = 1
        direction = take[1, number]
        direction[[FEATURES.index(f"{upper} tilt"), FEATURES.index(f"{lower} tilt")]] = 0.5
        direction[FEATURES.index(f"{upper} shear_y")] = np.degrees(1 / population.mean[spacing])
    take[:, :BEYOND] = take[:, BEYOND : BEYOND + 1]
    mean = take @ population.mean
    further = np.arange(BEYOND, 0, -1)
    mean[:, :BEYOND] += further * (mean[:, BEYOND] - mean[:, BEYOND + 1])[:, None]
    rows = take.reshape(2 * _STEPS, -1)
    modes = population.modes @ rows.T
    covariance = modes.T @ modes + (rows * population.residual**2) @ rows.T
    for first, sd in ((0, BEYOND_STEP_MM), (_STEPS, BEYOND_DIRECTION_DEG)):
        part = slice(first, first + BEYOND)
        covariance[part, part] += sd**2 * np.minimum(further[:, None], further[None])
    return mean.ravel(), covariance
