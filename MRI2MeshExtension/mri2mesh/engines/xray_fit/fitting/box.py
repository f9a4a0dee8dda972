"""The part of an image that a bone's shadow is in: outside it nothing changes when the bone moves a little."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mri2mesh.geometry.xray_camera import XrayCamera


@dataclass(frozen=True)
class Box:
    """rows, columns: from the first to before the last."""

    rows: slice
    columns: slice

    @classmethod
    def around(cls, shadow: Tensor, reach: int, block: int) -> Box:
        """Around all shadows [B, H, W] bool, so many pixels wider on all sides, from a multiple of ``block`` on. The
        whole image where there is none."""
        return cls(*(_extent(shadow.any(0).any(axis), reach, block) for axis in (1, 0)))

    @property
    def size(self) -> tuple[int, int]:
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def camera(self, whole: XrayCamera) -> XrayCamera:
        """The same view of these pixels alone."""
        column, row = whole.principal_point_px
        return replace(
            whole,
            size=self.size,
            principal_point_px=(column - self.columns.start, row - self.rows.start),
        )

    def of(self, images: Tensor) -> Tensor:
        """[B, ..., h, w] of images [B, ..., H, W]."""
        return images[..., self.rows, self.columns]


def _extent(there: Tensor, reach: int, block: int) -> slice:
    places = torch.nonzero(there)[:, 0]
    if not len(places):
        return slice(0, len(there))
    first = max(0, int(places[0]) - reach) // block * block
    return slice(first, min(len(there), int(places[-1]) + 1 + reach))
