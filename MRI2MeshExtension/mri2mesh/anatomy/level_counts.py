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

_STEPS = len(VERTEBRA_LEVELS) - 1


def count_probabilities(centres: NDArray) -> dict[str, float]:
    """Probability that the lowest body is each of `LOWEST`; they sum to one.

    centres: [n, 3] RAS mm of neighbouring whole bodies from head to foot, three or more. With fewer, or more bodies
    than the known levels hold, every count is as probable as another.
    """
    centres = np.asarray(centres, dtype=np.float64)
    possible = [name for name in LOWEST if VERTEBRA_LEVELS.index(name) >= len(centres) - 1]
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
    numbers = np.arange(lowest - count, lowest)
    chosen: Sequence[int] = [*numbers, *(_STEPS + numbers)]
    spread = covariance[np.ix_(chosen, chosen)].copy()
    spread[np.diag_indices(2 * count)] += np.repeat([STEP_NOISE_MM**2, DIRECTION_NOISE_DEG**2], count)
    spread[count:, count:] += LYING_DEG**2
    root = np.linalg.cholesky(spread)
    scaled = np.linalg.solve(root, measured.ravel() - mean[chosen])
    return float(-0.5 * scaled @ scaled - np.log(np.diag(root)).sum())


@lru_cache(maxsize=1)
def _expected() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean [20] and covariance [20, 20] of the ten steps and their directions, from head to foot.

    A step runs along the axis midway between its two vertebrae, but for the shear: for the small angles of a spine
    the direction is the mean of their tilts plus shear over length.
    """
    population = SpinePopulation.load()
    take = np.zeros((2 * _STEPS, len(FEATURES)))
    for number in range(_STEPS):
        upper, lower = VERTEBRA_LEVELS[number : number + 2]
        spacing = FEATURES.index(f"{upper} spacing")
        take[number, spacing] = 1
        direction = take[_STEPS + number]
        direction[[FEATURES.index(f"{upper} tilt"), FEATURES.index(f"{lower} tilt")]] = 0.5
        direction[FEATURES.index(f"{upper} shear_y")] = np.degrees(1 / population.mean[spacing])
    modes = population.modes @ take.T
    return take @ population.mean, modes.T @ modes + (take * population.residual**2) @ take.T
