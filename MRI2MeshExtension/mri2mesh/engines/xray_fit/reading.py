"""Options of the engine that are files, as it takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.reading import Inputs
from mri2mesh.imaging.radiographs.masks.bone import read_bone_mask


def masks(paths: Sequence[Path | None], inputs: Inputs) -> list[NDArray[np.bool_] | None]:
    """Per radiograph the bone's silhouette [rows, columns], or None."""
    return [
        None if path is None else read_bone_mask(path, one.geometry.size.value)
        for path, one in zip(paths, inputs.image, strict=True)
    ]
