"""The voxels of one bone, cut out of the image, and where in the image that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.volume import Volume


@dataclass(frozen=True)
class Patch(Volume):
    """``array``: [K, J, I] bool, the bone's voxels, with a margin of one where the image goes on.

    low: [3] (i, j, k) of its first voxel in the image. size: [3] of the image, (i, j, k).
    """

    low: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))
    size: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))

    @property
    def first(self) -> NDArray[np.int64]:
        """[3] index of the image's first voxel here."""
        return -self.low

    @property
    def last(self) -> NDArray[np.int64]:
        """[3] index of the image's last voxel here."""
        return self.size - 1 - self.low

    @property
    def box_mm(self) -> NDArray[np.float64]:
        """[2, 3] least and greatest coordinate of the labelled voxels' edges, RAS mm."""
        corners = self.ras_from_ijk(np.argwhere(self.array)[:, ::-1])
        half = np.abs(self.ijk_to_ras[:3, :3]).sum(axis=1) / 2
        return np.stack([corners.min(axis=0) - half, corners.max(axis=0) + half])

    @property
    def centre(self) -> NDArray[np.float64]:
        """[3] mean of the labelled voxels, RAS mm."""
        return self.ras_from_ijk(np.argwhere(self.array)[:, ::-1].mean(axis=0))

    def with_voxels(self, array: NDArray[np.bool_]) -> Patch:
        """The same place with other voxels labelled."""
        return replace(self, array=array)


def patch_of(labels: NDArray, wanted: Sequence[int], box: tuple[slice, ...], grid: Volume) -> Patch:
    """The voxels that have one of the wanted labels. box: of [K, J, I] slices that they lie in."""
    grown = tuple(
        slice(max(one.start - 1, 0), min(one.stop + 1, length))
        for one, length in zip(box, labels.shape, strict=True)
    )
    low = np.array([one.start for one in grown[::-1]])
    matrix = grid.ijk_to_ras.copy()
    matrix[:3, 3] = grid.ras_from_ijk(low)
    array = np.isin(labels[grown], wanted)
    return Patch(array, matrix, low=low, size=np.array(labels.shape[::-1]))


def joined(boxes: Sequence[tuple[slice, ...]]) -> tuple[slice, ...]:
    """The box around boxes."""
    return tuple(
        slice(min(one.start for one in side), max(one.stop for one in side))
        for side in zip(*boxes, strict=True)
    )
