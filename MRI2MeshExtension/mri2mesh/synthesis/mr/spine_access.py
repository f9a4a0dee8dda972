"""What the painters need to know of a sampled spine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS


def body_centre(spine: SpineSample, name: str) -> NDArray[np.float64]:
    """[3] RAS of the centre of a vertebral body, a disc or the S1 body: the origin of its frame."""
    return spine.frames[name][:3, 3]


def vertebrae_of(spine: SpineSample) -> list[str]:
    """Names of the vertebrae present, head to foot; the sacrum is not among them."""
    return [name for name in VERTEBRA_LEVELS if name in spine.structures]


def discs_of(spine: SpineSample) -> list[str]:
    """Names of the discs present, head to foot."""
    return [name for name in spine.structures if "-" in name]


def moved(spine: SpineSample, matrix: NDArray) -> SpineSample:
    """The spine after a rigid motion (4x4)."""
    return replace(
        spine,
        structures={name: mesh.transformed(matrix) for name, mesh in spine.structures.items()},
        frames={name: matrix @ frame for name, frame in spine.frames.items()},
        canal=replace(spine.canal, centreline=spine.canal.centreline @ matrix[:3, :3].T + matrix[:3, 3]),
    )
