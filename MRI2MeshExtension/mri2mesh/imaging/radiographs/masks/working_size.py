"""Large radiographs are judged at a working size of about a thousand pixels: what is looked for is not smaller."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORKING_SIZE = 1024


def shrink(picture: NDArray) -> tuple[NDArray[np.float32], int]:
    """[rows // step, columns // step] means of blocks of step x step pixels, and the step; 1 for small pictures."""
    step = max(1, round(max(picture.shape) / WORKING_SIZE))
    rows, columns = (size // step for size in picture.shape)
    blocks = np.asarray(picture[: rows * step, : columns * step], dtype=np.float32)
    return blocks.reshape(rows, step, columns, step).mean(axis=(1, 3)), step


def grow(mask: NDArray[np.bool_], step: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """[rows, columns] of `shape`: every pixel as its block; the pixels left over as the block beside them."""
    rows, columns = (
        np.minimum(np.arange(size) // step, small - 1) for size, small in zip(shape, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)]
