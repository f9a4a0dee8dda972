"""What a localiser learns from a synthetic case: a label per voxel, and where each structure's centre is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.geometry.volume import Volume
from mri2mesh.synthesis.mr.spine_access import body_centre, discs_of, vertebrae_of
from mri2mesh.synthesis.mr.tissues import BODY, CANAL, DISC, POSTERIOR, SACRUM


def _table() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for label, tissues in (
        (Semantic.BODY, BODY),
        (Semantic.DISC, DISC),
        (Semantic.SACRUM, SACRUM),
        (Semantic.POSTERIOR, POSTERIOR),
        (Semantic.CANAL, CANAL),
    ):
        table[[int(tissue) for tissue in tissues]] = label
    return table


LABEL_OF_TISSUE = _table()
"""[256] `Semantic` of each `Tissue`."""


def semantic_labels(tissues: Volume) -> Volume:
    """uint8 `Semantic` map of a tissue map, same grid."""
    return tissues.with_array(LABEL_OF_TISSUE[tissues.array])


@dataclass(frozen=True)
class Centre:
    """name: a vertebra, a disc or "S1" (the S1 body). position: [3] RAS mm. in_view: the scan has data there."""

    name: str
    position: NDArray[np.float64]
    in_view: bool


def centres(spine: SpineSample, volume: Volume) -> list[Centre]:
    """Centres of all vertebral bodies, the S1 body and all discs, each from head to foot.

    volume: the case's image or tissue map. A centre is in view when it lies in the grid and not in a border
    without data (zeros all around it).
    """
    result = []
    for name in [*vertebrae_of(spine), "S1", *discs_of(spine)]:
        position = body_centre(spine, name)
        k, j, i = np.rint(volume.ijk_from_ras(position)).astype(int)[::-1]
        in_grid = all(0 <= n < size for n, size in zip((k, j, i), volume.array.shape, strict=True))
        around = tuple(slice(max(n - 3, 0), n + 4) for n in (k, j, i))
        result.append(Centre(name, position, in_grid and bool(volume.array[around].any())))
    return result
