"""Do the labels lie on their image, or were they mirrored or moved?

Across the border of a bone the image changes, whichever way: from marrow to cortex, from bone to disc. So the distance
to the nearest border explains some of the image's brightness near it (the correlation ratio, as in Roche et al. 1998).
Labels that lie elsewhere explain nearly nothing. A mirror image about the middle of a body explains nearly as much as
the body: that is not seen here.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.engines.segmentation.label_map import LabelMap
from mri2mesh.errors import InputError

EXCHANGED = ("left and right", "front and back", "up and down")
"""What a mirror image across each patient axis exchanges."""
BETTER = 2.5
"""How many times as much another place must explain for this one to be wrong."""
CLEAR = 0.1
"""Correlation ratio that the other place must have at least."""
BAND_MM = 5.0
BINS = 10
GRID_MM = 1.5
"""Finer grids are looked at every so many voxels."""
POINTS = 6000
FARTHEST_MM, STEP_MM, NEAREST_MM = 30.0, 5.0, 8.0
"""Shifts that are looked for; below the least nothing can be told."""


def refuse_elsewhere(label_map: LabelMap, labels: list[int]) -> None:
    """Raises InputError where the bones' labels fit their image far better mirrored along an axis of it, or moved."""
    step = np.maximum(np.round(GRID_MM / label_map.spacing), 1).astype(int)
    taken = tuple(slice(None, None, int(one)) for one in step[::-1])
    image = _ranked(np.asarray(label_map.array[taken], dtype=np.float32))
    spacing = (label_map.spacing * step)[::-1]
    where, bins = _near_borders(np.isin(label_map.labels[taken], labels), spacing)
    here = explained(image, where, bins)
    if here >= CLEAR * 4:
        return
    last = np.array(image.shape) - 1
    for dimension in range(3):
        mirrored = where.copy()
        mirrored[:, dimension] = last[dimension] - mirrored[:, dimension]
        if _clearly_better(explained(image, mirrored, bins), here):
            axis = int(np.argmax(np.abs(label_map.ijk_to_ras[:3, 2 - dimension])))
            raise InputError(
                f"the labels are mirrored against their image ({EXCHANGED[axis]} exchanged): export them again "
                "together with the image, or leave out --image if it is another's"
            )
    if here < CLEAR:
        best, move = max((explained(image, where + one, bins), tuple(one)) for one in _shifts(spacing))
        if _clearly_better(best, here):
            far = float(np.linalg.norm(np.array(move) * spacing))
            raise InputError(
                f"the labels are about {far:.0f} mm away from where they fit their image: export them again together "
                "with the image, or leave out --image if it is another's"
            )


def explained(image: NDArray[np.float32], where: NDArray[np.int64], bins: NDArray[np.int64]) -> float:
    """Share of the image's variance at [N, 3] places that the bins [N] explain: 0 nothing, 1 all of it."""
    inside = ((where >= 0) & (where < np.array(image.shape))).all(axis=1)
    if inside.mean() < 0.6:
        return 0.0
    values, bins = image[tuple(where[inside].T)], bins[inside]
    counts = np.bincount(bins, minlength=BINS)
    means = np.bincount(bins, values, minlength=BINS) / np.maximum(counts, 1)
    whole = float(((values - values.mean()) ** 2).sum())
    return float((counts * (means - values.mean()) ** 2).sum() / max(whole, 1e-9))


def _clearly_better(there: float, here: float) -> bool:
    return there > CLEAR and there > BETTER * here


def _ranked(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The image's values by their rank, 0..100, so that single bright voxels do not count for much."""
    smooth = ndimage.gaussian_filter(image, 0.7)
    levels = np.maximum.accumulate(np.quantile(smooth, np.linspace(0, 1, 101)))
    return np.interp(smooth, levels, np.arange(101)).astype(np.float32)


def _near_borders(bone: NDArray[np.bool_], spacing: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[N, 3] indices of some voxels near the border of bone, and [N] in which of the bins of distance they are."""
    depth = ndimage.distance_transform_edt(bone, sampling=spacing)
    depth = depth - ndimage.distance_transform_edt(~bone, sampling=spacing)
    where = np.argwhere(np.abs(depth) < BAND_MM)
    chosen = np.random.default_rng(0).permutation(len(where))[:POINTS]
    where = where[chosen]
    share = (depth[tuple(where.T)] + BAND_MM) / (2 * BAND_MM)
    return where, np.clip((share * BINS).astype(int), 0, BINS - 1)


def _shifts(spacing: NDArray) -> list[NDArray[np.int64]]:
    steps = np.arange(-FARTHEST_MM, FARTHEST_MM + 1, STEP_MM)
    along = [np.unique(np.round(steps / mm).astype(int)) for mm in spacing]
    shifts = [np.array(one) for one in product(*along)]
    return [one for one in shifts if np.linalg.norm(one * spacing) >= NEAREST_MM]
