"""Silhouette and depth targets from a label map, also when only some slices of it are labelled.

Every pixel's ray is followed through the mask. What a ray meets in labelled slices is known, what lies in the
others is not, and the targets say which:

- silhouette on and valid: the ray meets the structure in a labelled slice, whatever the other slices hold;
- silhouette off and valid: every part of the ray lies in labelled slices and meets nothing;
- anything else is not valid.

Views along directions inside the slice plane have rays that stay in one slice, so there the contour of a
labelled slice gives exact targets, and rays in unlabelled slices are not valid. In a view across the slices,
labelled slices are a lower bound: inside their union the pixels must be covered, outside nothing is known
until all are labelled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mri2mesh.errors import InputError
from mri2mesh.rendering.cameras import OrthographicCameras


class LabelTargets(NamedTuple):
    """All [N, H, W].

    silhouette: float32, 0 or 1. depth: float32, mm from the centre plane to the first surface met; the far
        plane's
    depth where the silhouette is off. valid: bool, where the silhouette is known. depth_valid: bool, where
    the depth is known: the silhouette is on and all of the ray before it lies in labelled slices.
    """

    silhouette: Tensor
    depth: Tensor
    valid: Tensor
    depth_valid: Tensor


def targets_from_labels(
    mask: NDArray | Tensor,
    labelled_slices: NDArray | Tensor | None,
    ijk_to_ras: NDArray,
    cameras: OrthographicCameras,
    *,
    slice_axis: int | None = None,
    slab: float = 1.0,
    step_mm: float | None = None,
) -> LabelTargets:
    """Targets of one structure in the views of cameras (centre [3], patient RAS).

    mask: [K, J, I] bool. ijk_to_ras: 4x4, voxel centres to mm.
    labelled_slices: bool [n] along the slice axis, or None when all slices are labelled.
    slice_axis: 0 = i, 1 = j, 2 = k; None means the axis with the largest spacing.
    slab: fraction of a slice's spacing, around its centre, over which its contour is taken to hold (1 = all
        of it; smaller is stricter: fewer valid pixels, each closer to the plane that was drawn on).
    step_mm: sampling distance along the rays; None means half of the smallest spacing.

    The surface is where the mask, interpolated linearly, crosses 0.5: in three directions when all slices are
    labelled, within the slice otherwise. Beyond the volume there is nothing, except that a structure that
    touches the volume's border (or an unlabelled first or last slice) goes on in an unknown way.

    Raises InputError when the shapes do not fit together.
    """
    voxels = torch.as_tensor(np.asarray(mask)).to(torch.float32)
    matrix = torch.as_tensor(np.asarray(ijk_to_ras), dtype=torch.float64)
    if voxels.ndim != 3 or matrix.shape != (4, 4):
        raise InputError("the mask must be [K, J, I] and ijk_to_ras 4x4")
    if cameras.centre.ndim != 1:
        raise InputError("targets are made for one structure: give the cameras one centre, [3]")
    spacing = torch.linalg.vector_norm(matrix[:3, :3], dim=0)
    axis = int(spacing.argmax()) if slice_axis is None else slice_axis
    n_slices = voxels.shape[2 - axis]
    if labelled_slices is None:
        labelled = torch.ones(n_slices, dtype=torch.bool)
    else:
        labelled = torch.as_tensor(np.asarray(labelled_slices)).bool()
    if labelled.shape != (n_slices,):
        raise InputError(
            f"labelled_slices must have {n_slices} values, one for each slice, got {len(labelled)}"
        )
    if not 0 < slab <= 1:
        raise InputError("slab must be above 0 and at most 1")

    # What was not drawn on does not count, even if the array holds something there.
    voxels = voxels * labelled.float().view([-1 if d == 2 - axis else 1 for d in range(3)])
    sampler = _Sampler(voxels, labelled, axis, slab, sparse=not bool(labelled.all()))
    step = step_mm or 0.5 * float(spacing.min())
    count = int(np.ceil(2 * cameras.far_mm / step)) + 1
    depths = torch.linspace(-cameras.far_mm, cameras.far_mm, count, dtype=torch.float64)
    to_ijk = torch.linalg.inv(matrix)
    views = [_one_view(sampler, to_ijk, cameras, view, depths) for view in range(len(cameras))]
    return LabelTargets(*(torch.stack(images) for images in zip(*views, strict=True)))


class _Sampler:
    """Value of the mask, and whether it is known, at continuous voxel positions."""

    def __init__(self, voxels: Tensor, labelled: Tensor, axis: int, slab: float, sparse: bool) -> None:
        self.axis, self.labelled, self.slab, self.sparse = axis, labelled, slab, sparse
        self.shape = torch.tensor(voxels.shape[::-1])  # i, j, k
        occupied = voxels.nonzero().flip(1)
        inside = len(occupied) > 0
        # Only the box around the structure is interpolated, with a margin of one voxel of nothing.
        self.low = occupied.amin(0) - 1 if inside else torch.zeros(3, dtype=torch.int64)
        self.high = occupied.amax(0) + 1 if inside else torch.ones(3, dtype=torch.int64)
        padded = functional.pad(voxels, (1, 1, 1, 1, 1, 1))
        (i0, j0, k0), (i1, j1, k1) = (self.low + 1).tolist(), (self.high + 2).tolist()
        self.box = padded[k0:k1, j0:j1, i0:i1][None, None]
        self.open_low = (self.low < 0) & inside
        self.open_high = (self.high >= self.shape) & inside
        if sparse:
            self.open_low[axis] |= not labelled[0]
            self.open_high[axis] |= not labelled[-1]

    def value(self, ijk: Tensor) -> Tensor:
        """[..., 3] to [...]: linear interpolation; across sparse slices the nearest slice counts."""
        ijk = ijk - self.low
        if self.sparse:
            ijk[..., self.axis].round_()
        grid = 2 * ijk / (self.high - self.low) - 1
        shape = grid.shape[:-1]
        sampled = functional.grid_sample(
            self.box, grid.reshape(1, 1, 1, -1, 3), mode="bilinear", padding_mode="zeros", align_corners=True
        )
        return sampled.view(shape)

    def known(self, ijk: Tensor) -> Tensor:
        """[..., 3] to bool [...]: in a labelled slice, or beyond a border that the structure does not
        cross."""
        unknown = torch.zeros(ijk.shape[:-1], dtype=torch.bool)
        for d in range(3):
            if self.open_low[d]:
                unknown |= ijk[..., d] < -0.5
            if self.open_high[d]:
                unknown |= ijk[..., d] > float(self.shape[d]) - 0.5
        if self.sparse:
            position = ijk[..., self.axis]
            nearest = position.round()
            inside = (nearest >= 0) & (nearest < len(self.labelled))
            drawn = self.labelled[nearest.clamp(0, len(self.labelled) - 1).long()]
            drawn &= (position - nearest).abs() <= 0.5 * self.slab
            unknown |= inside & ~drawn
        return ~unknown


def _one_view(
    sampler: _Sampler, to_ijk: Tensor, cameras: OrthographicCameras, view: int, depths: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """silhouette, depth, valid, depth_valid, each [H, W], of one view."""
    rows, columns = cameras.size
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    screen = torch.stack([column, row, torch.zeros_like(row)], -1).double().view(1, 1, -1, 3)
    one = OrthographicCameras(
        cameras.rotation[view : view + 1].double(),
        cameras.centre.double(),
        cameras.pixel_size_mm,
        cameras.size,
    )
    origin = one.unproject(screen)[0, 0]  # [H * W, 3] mm, on the centre plane
    origin = origin @ to_ijk[:3, :3].T + to_ijk[:3, 3]
    direction = to_ijk[:3, :3] @ one.rotation[0, 2]
    ijk = (origin[:, None] + depths[:, None] * direction).float()  # [H * W, samples, 3]
    known, value = sampler.known(ijk), sampler.value(ijk)
    hit = (value >= 0.5) & known
    silhouette, first = hit.max(1)
    # Linear crossing of 0.5 between the last sample outside and the first inside.
    before = (first - 1).clamp(min=0)
    at = torch.arange(len(first))
    low, high = value[at, before], value[at, first]
    fraction = ((0.5 - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    depth = depths[before] + fraction * (depths[first] - depths[before])
    passed_known = torch.cat([torch.ones(len(known), 1, dtype=torch.bool), known], 1).cumprod(1).bool()
    depth_valid = silhouette & passed_known[at, first]
    valid = silhouette | known.all(1)
    depth = torch.where(silhouette, depth, cameras.far_mm)
    images = (silhouette.float(), depth.float(), valid, depth_valid)
    silhouette_image, depth_image, valid_image, depth_valid_image = (
        image.view(rows, columns) for image in images
    )
    return silhouette_image, depth_image, valid_image, depth_valid_image
