"""Where the geometry of radiographs says that the bone is, and how sure that is, before an image is looked at.

Front to back the isocentre says it: a patient lies on a table, and the beams are turned about his middle. Sideways and
lengthwise the usable fields say it, roughly, for a film may be collimated to one hip. Where the beams through the
middles of several fields meet says little about depth: a few centimetres between the middle of a field and the bone,
which are usual, and fields of which lead was not found, move that point along the beams by far more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.xray_fit.fitting.image_term import Observation

FIELD_MM = 40.0
"""Standard deviation, at the patient, of the bone from the middle of what is usable of a field."""
LEAST_SURE_MM = 60.0
"""The largest standard deviation along a beam that is ever stated: a bone lies inside a body."""
_FRONT = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Expected:
    """position: [3] RAS mm. covariance: [3, 3] mm2."""

    position: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def sd_along(self, direction: NDArray) -> float:
        """mm, along a unit vector [3]."""
        return float(min(np.sqrt(direction @ self.covariance @ direction), LEAST_SURE_MM))


def expected_place(
    views: Sequence[Observation], isocentre_depths_mm: Sequence[float], isocentre_sd_mm: float = 15.0
) -> Expected:
    """isocentre_depths_mm: per view, from its source. isocentre_sd_mm: of the bone from the isocentres, front to back.

    Views from the side do not see how far that is; of two sides' views the other one does.
    """
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for seen, depth in zip(views, isocentre_depths_mm, strict=True):
        row, column = (float(place.mean()) for place in np.nonzero(seen.mask))
        ray = np.linalg.inv(seen.camera.matrix[:, :3]) @ np.array([column, row, 1.0])
        unit = ray / np.linalg.norm(ray)
        beam = seen.camera.axes_ras[2]
        # of views of one isocentre all say the same of it
        front = np.outer(_FRONT, _FRONT) / isocentre_sd_mm**2 / len(views)
        # hardly anything, so that a view from the side has a place along its beam too
        near = np.outer(beam, beam) / (4 * LEAST_SURE_MM) ** 2
        across = (np.eye(3) - np.outer(unit, unit)) / FIELD_MM**2
        isocentre, source = seen.camera.source_ras_mm + depth * beam, seen.camera.source_ras_mm
        normal += front + near + across
        right += (front + near) @ isocentre + across @ source
    covariance = np.linalg.inv(normal)
    return Expected(np.asarray(covariance @ right), np.asarray(covariance, dtype=np.float64))
