"""Where labels were drawn: everywhere, on thick slices, on some slices only, or on planes that cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.engines.segmentation.oblique import Sheet, find_sheets
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
INSIDE = 0.2
"""Share of the labelled voxels with labels on all six sides, from which on they were not drawn on thin planes; where
these cross, there are some."""
MOSTLY, EXPLAINED = 0.7, 0.9
"""Share of the labelled voxels that lie on the slices drawn on, of several axes and of one; with fewer, the planes are
oblique to the voxels."""
LEAST_VOXELS = 4


@dataclass(frozen=True)
class Stack:
    """axis: slice axis (0 = i, 1 = j, 2 = k). slices: indices, in the image, of those drawn on."""

    axis: int
    slices: NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """stacks: parallel slices along one or several axes of the image; sheets: single planes oblique to it. Neither for
    labels that are whole. words: for the report."""

    stacks: tuple[Stack, ...]
    sheets: tuple[Sheet, ...]
    words: str

    @property
    def whole(self) -> bool:
        return not self.stacks and not self.sheets

    @property
    def axis(self) -> int | None:
        """The axis across the slices where all of them are parallel, None otherwise."""
        return self.stacks[0].axis if len(self.stacks) == 1 and not self.sheets else None


def where_drawn(bones: Sequence[Patch], grid: Volume) -> Drawn:
    """By the slices that each bone is on, and their thickness."""
    if _on_thin_planes(bones):
        crossing = [stack for axis in range(3) if (stack := _thin_slices(bones, axis)) is not None]
        explained = _explained(bones, crossing)
        if len(crossing) > 1 and explained >= MOSTLY:
            crossing = _with_small_slices(bones, crossing)
            names = " and ".join(f"{len(one.slices)} across {'ijk'[one.axis]}" for one in crossing)
            return Drawn(tuple(crossing), (), f"drawn on slices that cross: {names}")
        if explained < EXPLAINED and (sheets := find_sheets(bones)):
            planes = "a plane" if len(sheets) == 1 else f"{len(sheets)} planes"
            return Drawn((), tuple(sheets), f"drawn on {planes} oblique to the voxels")
    sparse = [axis for axis in range(3) if _drawn_on_some(bones, axis, float(grid.spacing[axis]))]
    if sparse:
        axis = max(sparse, key=lambda one: _share_empty(bones, one))
        slices = np.unique(np.concatenate([one.low[axis] + _slices_of(one, axis) for one in bones]))
        words = f"drawn on {len(slices)} of {grid.array.shape[2 - axis]} slices"
        return Drawn((Stack(axis, slices),), (), words)
    axis = grid.slice_axis
    others = np.delete(grid.spacing, axis).max()
    if grid.spacing[axis] >= THICK_MM and grid.spacing[axis] >= THICK_AGAINST_OTHERS * others:
        slices = np.arange(grid.array.shape[2 - axis])
        return Drawn((Stack(axis, slices),), (), f"drawn on every slice of {grid.spacing[axis]:.1f} mm")
    return Drawn((), (), "drawn everywhere")


def slices_about(bone: Patch, stack: Stack) -> NDArray[np.int64]:
    """Indices, in the image, of the slices of a stack that say something of one bone.

    Those that it is on; and beyond its ends, where it is not, those from which on it can have been left out for no
    other reason than that it ends before: the next one as far away as its own slices are apart. A slice between its
    own, or nearer, was drawn for other bones.
    """
    own = bone.low[stack.axis] + _slices_of(bone, stack.axis)
    own = np.intersect1d(own, stack.slices)
    if not len(own):
        return own
    gap = float(np.median(np.diff(own))) if len(own) > 1 else LEAST_BONE_MM / float(bone.spacing[stack.axis])
    beyond = (stack.slices <= own[0] - 0.7 * gap) | (stack.slices >= own[-1] + 0.7 * gap)
    return np.union1d(own, stack.slices[beyond])


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


def _on_thin_planes(bones: Sequence[Patch]) -> bool:
    """Whether hardly a voxel is surrounded by its own label."""
    inside = sum(int(_surrounded(bone.array).sum()) for bone in bones)
    return inside < INSIDE * sum(int(bone.array.sum()) for bone in bones)


def _surrounded(array: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels with labels on all six sides; patches have a margin, but where the image ends."""
    padded = np.pad(array, 1, mode="edge")
    found = array.copy()
    for axis in range(3):
        for sign in (1, -1):
            found &= np.roll(padded, sign, axis)[1:-1, 1:-1, 1:-1]
    return found


def _thin_slices(bones: Sequence[Patch], axis: int) -> Stack | None:
    """The slices across an axis that were drawn on: most of what is labelled there is an area, not the line in which
    another plane crosses, and no part of a longer run along the axis. None where there are none."""
    slices = []
    for bone in bones:
        array = np.moveaxis(bone.array, 2 - axis, 0)
        padded = np.pad(array, ((1, 1), (0, 0), (0, 0)))
        thin = array & ~(padded[:-2] & padded[2:]) & ndimage.binary_opening(array, np.ones((1, 3, 3), bool))
        labelled, of_them = array.sum(axis=(1, 2)), thin.sum(axis=(1, 2))
        here = (labelled > 0) & (of_them > 0.5 * labelled) & (labelled > 0.1 * labelled.max())
        slices.append(bone.low[axis] + np.flatnonzero(here))
    found = np.unique(np.concatenate(slices))
    return Stack(axis, found) if len(found) else None


def _with_small_slices(bones: Sequence[Patch], stacks: Sequence[Stack]) -> list[Stack]:
    """The same axes, and the slices on which the rest of the labels lies, those with most of it first: what a slice
    shows of a thin process is no area."""
    left = _voxels(bones)
    left = left[~_lie_on(left, stacks)]
    slices = {stack.axis: set(stack.slices.tolist()) for stack in stacks}
    while len(left):
        counts = {axis: np.bincount(left[:, axis]) for axis in slices}
        axis = max(counts, key=lambda one: int(counts[one].max()))
        place = int(counts[axis].argmax())
        if counts[axis][place] < LEAST_VOXELS:
            break
        slices[axis].add(place)
        left = left[left[:, axis] != place]
    return [Stack(axis, np.array(sorted(places))) for axis, places in slices.items()]


def _explained(bones: Sequence[Patch], stacks: Sequence[Stack]) -> float:
    """Share of the labelled voxels that lie on the slices of any of the stacks."""
    return float(_lie_on(_voxels(bones), stacks).mean())


def _voxels(bones: Sequence[Patch]) -> NDArray[np.int64]:
    """[N, 3] (i, j, k) in the image of all labelled voxels."""
    return np.concatenate([np.argwhere(bone.array)[:, ::-1] + bone.low for bone in bones])


def _lie_on(voxels: NDArray[np.int64], stacks: Sequence[Stack]) -> NDArray[np.bool_]:
    hit = np.zeros(len(voxels), bool)
    for stack in stacks:
        hit |= np.isin(voxels[:, stack.axis], stack.slices)
    return hit
