"""What is known of a bone's place besides its samples: points of it that lie about somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class HeldPoint:
    """A point of a bone. groups: vertices of the model; the point is the mean of the groups' means. place: [3] RAS mm
    where it is expected. information: [3, 3] 1 / mm^2, the inverse of the covariance of that."""

    groups: Sequence[NDArray[np.int64]]
    place: NDArray[np.float64]
    information: NDArray[np.float64]

    def of(self, values: NDArray) -> NDArray[np.float64]:
        """[..., C] what vertices carry [..., V, C], at the point."""
        return np.asarray(np.mean([values[..., rows, :].mean(axis=-2) for rows in self.groups], axis=0))


def along(direction: NDArray, sd_mm: float) -> NDArray[np.float64]:
    """[3, 3] information of a place that is known along a unit vector [3] alone."""
    return np.outer(direction, direction) / sd_mm**2


def everywhere(sd_mm: float) -> NDArray[np.float64]:
    """[3, 3] information of a place that is known alike in all directions."""
    return np.eye(3) / sd_mm**2
