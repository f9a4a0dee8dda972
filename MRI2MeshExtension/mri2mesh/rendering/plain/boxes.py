"""Which pixels each projected face can touch, as dense blocks: no tensor of pixels times faces.

Every face gets the box of pixels its blurred bounding box covers. Faces whose boxes have the same size form a
block of shape [pixels of the box, faces], so all per-pair arithmetic is contiguous and per-face constants are
broadcast, never gathered. Larger boxes are rounded up to a few sizes so that there are few blocks; memory
stays proportional to the number of (face, pixel) pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from mri2mesh.rendering.settings import MIN_AREA_NDC

_SIDES = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32])
_PAIRS_PER_BLOCK = {"cpu": 1 << 15, "cuda": 1 << 22}
"""On a CPU a block's working set should stay in the second-level cache; on a GPU few large launches are
best."""


class Block(NamedTuple):
    """n faces whose boxes all are height x width pixels; m = height * width.

    face: [n] int64 index into images * faces.
    x, y: [3, n] corner positions in pixels relative to the centre of the box's first pixel; z: [3, n] depth,
        mm.
    column, row: [m, 1] pixel positions inside the box.
    pixel: [m, n] int64 index of each pair's pixel in the flattened images.
    """

    face: Tensor
    x: Tensor
    y: Tensor
    z: Tensor
    column: Tensor
    row: Tensor
    pixel: Tensor


def _box_sides(needed: Tensor, limit: int) -> Tensor:
    """Rounds box sides up to a table of sizes (multiples of 16 beyond it), at most the image."""
    table = _SIDES.to(needed.device)
    index = torch.searchsorted(table, needed).clamp_(max=len(table) - 1)
    rounded = torch.where(needed > table[-1], (needed + 15) // 16 * 16, table[index])
    return rounded.clamp_(max=limit)


def face_blocks(
    screen: Tensor,
    faces: Tensor,
    size: tuple[int, int],
    reach_px: float,
    cull_backfaces: bool,
    min_area_ndc: float = MIN_AREA_NDC,
) -> Iterator[Block]:
    """All (face, pixel) pairs with the pixel centre at most reach_px from the face's bounding box, in blocks.

    screen: [images, V, 3] (column, row, depth) from `OrthographicCameras.project`; faces: [F, 3].
    cull_backfaces: leave out faces whose outward normal points away from the viewer.
    min_area_ndc: twice the area of the smallest face that takes part.
    """
    rows, columns = size
    corners = (
        screen.permute(2, 0, 1)[:, :, faces.T].transpose(1, 2).reshape(3, 3, -1)
    )  # xyz, corner, image*face
    x, y = corners[0], corners[1]
    # Rows run downwards and depth away from the viewer, so a face seen from outside has negative area here.
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    least = min_area_ndc * (min(size) / 2) ** 2
    keep = area < -least if cull_backfaces else area.abs() > least
    left, right = (
        (x.amin(0) - reach_px).ceil_().clamp_(min=0),
        (x.amax(0) + reach_px).floor_().clamp_(max=columns - 1),
    )
    top, bottom = (
        (y.amin(0) - reach_px).ceil_().clamp_(min=0),
        (y.amax(0) + reach_px).floor_().clamp_(max=rows - 1),
    )
    keep &= (left <= right) & (top <= bottom)
    face = keep.nonzero()[:, 0]
    if len(face) == 0:
        return
    left, right, top, bottom = (edge[face].long() for edge in (left, right, top, bottom))
    width, height = _box_sides(right - left + 1, columns), _box_sides(bottom - top + 1, rows)
    left, top = torch.minimum(left, columns - width), torch.minimum(top, rows - height)

    kind, order = torch.sort(height * (columns + 1) + width, stable=True)
    face, left, top = face[order], left[order], top[order]
    corners = corners[:, :, face]
    x, y, z = corners[0] - left, corners[1] - top, corners[2]
    first = torch.div(face, len(faces), rounding_mode="floor") * (rows * columns) + top * columns + left

    kinds, counts = torch.unique_consecutive(kind, return_counts=True)
    budget = _PAIRS_PER_BLOCK.get(screen.device.type, 1 << 20)
    begin = 0
    for code, count in zip(kinds.tolist(), counts.tolist(), strict=True):
        box_rows, box_columns = divmod(code, columns + 1)
        local = torch.arange(box_rows * box_columns, device=screen.device)[:, None]
        row = torch.div(local, box_columns, rounding_mode="floor")
        column = local - row * box_columns
        jump = row * columns + column
        step = max(1, budget // (box_rows * box_columns))
        for start in range(begin, begin + count, step):
            part = slice(start, min(start + step, begin + count))
            yield Block(
                face[part],
                x[:, part],
                y[:, part],
                z[:, part],
                column.to(screen.dtype),
                row.to(screen.dtype),
                first[part] + jump,
            )
        begin += count
