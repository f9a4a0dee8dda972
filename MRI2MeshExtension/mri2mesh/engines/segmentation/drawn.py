"""Where labels were drawn: everywhere, on thick slices, or on some slices only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.geometry.volume import Volume

THICK_MM = 2.6
"""From this spacing on, and where it is much more than the others, labels are taken slice by slice."""
THICK_AGAINST_OTHERS = 1.8
GAP_SHARE = 0.3
"""Share of empty slices between a bone's first and last from which on it was drawn on some slices only."""
ONE_SLICE = 2
"""A bone on no more slices than this, which together are thinner than it can be, was drawn on those alone."""
LEAST_BONE_MM = 9.0


@dataclass(frozen=True)
class Drawn:
    """axis: slice axis (0 = i, 1 = j, 2 = k) of labels that were drawn slice by slice, None for whole ones. slices:
    indices of those drawn on. words: for the report."""

    axis: int | None
    slices: NDArray[np.int64]
    words: str

    @property
    def whole(self) -> bool:
        return self.axis is None


def where_drawn(bones: Sequence[Patch], grid: Volume) -> Drawn:
    """By the slices that each bone is on, and their thickness."""
    sparse = [axis for axis in range(3) if _drawn_on_some(bones, axis, float(grid.spacing[axis]))]
    if sparse:
        axis = max(sparse, key=lambda one: _share_empty(bones, one))
        slices = np.unique(np.concatenate([one.low[axis] + _slices_of(one, axis) for one in bones]))
        words = f"drawn on {len(slices)} of {grid.array.shape[2 - axis]} slices"
        return Drawn(axis, slices, words)
    axis = grid.slice_axis
    others = np.delete(grid.spacing, axis).max()
    if grid.spacing[axis] >= THICK_MM and grid.spacing[axis] >= THICK_AGAINST_OTHERS * others:
        slices = np.arange(grid.array.shape[2 - axis])
        return Drawn(axis, slices, f"drawn on every slice of {grid.spacing[axis]:.1f} mm")
    return Drawn(None, np.arange(0), "drawn everywhere")


def _slices_of(bone: Patch, axis: int) -> NDArray[np.int64]:
    """Indices, in the patch, of the slices that a bone is on."""
    return np.flatnonzero(bone.array.any(axis=tuple(d for d in range(3) if d != 2 - axis)))


def _empty_between(bone: Patch, axis: int) -> float:
    """Share of empty slices between the first and the last of a bone."""
    on = _slices_of(bone, axis)
    return 1.0 - len(on) / float(on[-1] - on[0] + 1)


def _share_empty(bones: Sequence[Patch], axis: int) -> float:
    return float(np.mean([_empty_between(bone, axis) for bone in bones]))


def _drawn_on_some(bones: Sequence[Patch], axis: int, spacing: float) -> bool:
    """Whether most bones have gaps along an axis, or are on so few slices that there must be more of them."""
    counts = [len(_slices_of(bone, axis)) for bone in bones]
    gaps = [_empty_between(bone, axis) >= GAP_SHARE for bone in bones]
    few = [count <= ONE_SLICE and count * spacing < LEAST_BONE_MM for count in counts]
    return float(np.mean(np.array(gaps) | np.array(few))) > 0.5
