"""Labels with holes and islands, made whole before anything is fitted to them; what was done is said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.engines.segmentation.drawn import Drawn, Stack
from mri2mesh.engines.segmentation.patch import Patch

ISLAND_SHARE = 0.05
"""A piece with less than this share of the largest one's voxels is an island, and left out."""
SMALL_HOLE_MM2 = 40.0
"""A hole in a slice up to this is filled; the canal of a vertebra is four times as large."""
_TOUCHING = ndimage.generate_binary_structure(3, 3)


def mended(name: str, bone: Patch, drawn: Drawn) -> tuple[Patch, list[str]]:
    """A bone's voxels without holes and islands, and sentences on what was changed.

    Of labels that were drawn slice by slice, holes are those of single slices, and pieces in separate slices are no
    islands; what was drawn on oblique planes stays as it is.
    """
    notes: list[str] = []
    voxel = float(abs(np.linalg.det(bone.ijk_to_ras[:3, :3])))
    kept = bone.array
    if drawn.whole:
        kept, left = _without_islands(kept)
        if left:
            which = "a piece" if len(left) == 1 else f"{len(left)} pieces"
            notes.append(
                f"{name}: {which} of {sum(left) * voxel:.0f} mm3 in all, apart from the rest, left out"
            )
        filled = ndimage.binary_fill_holes(kept)
    else:
        filled = kept
        for stack in drawn.stacks:
            filled = _small_holes_filled(filled, stack, bone)
    holes = int(filled.sum() - kept.sum())
    if holes:
        notes.append(f"{name}: holes of {holes * voxel:.0f} mm3 in all filled")
    return bone.with_voxels(filled), notes


def _without_islands(crop: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], list[int]]:
    """The large pieces, and the voxel counts of those that were left out."""
    pieces, count = ndimage.label(crop, _TOUCHING)
    if count == 1:
        return crop, []
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    small = (sizes > 0) & (sizes < ISLAND_SHARE * sizes.max())
    return crop & ~small[pieces], [int(size) for size in sizes[small]]


def _small_holes_filled(crop: NDArray[np.bool_], drawn: Stack, bone: Patch) -> NDArray[np.bool_]:
    """Holes of the slices that were drawn on."""
    area = float(np.prod(bone.spacing)) / float(bone.spacing[drawn.axis])
    dimension = 2 - drawn.axis
    stack = np.moveaxis(crop, dimension, 0).copy()
    here = drawn.slices - bone.low[drawn.axis]
    for place in here[(here >= 0) & (here < len(stack))]:
        one = stack[place]
        holes, count = ndimage.label(ndimage.binary_fill_holes(one) & ~one)
        if count:
            sizes = np.bincount(holes.ravel())
            sizes[0] = 0
            one |= ((sizes > 0) & (sizes * area <= SMALL_HOLE_MM2))[holes]
    return np.moveaxis(stack, 0, dimension)
