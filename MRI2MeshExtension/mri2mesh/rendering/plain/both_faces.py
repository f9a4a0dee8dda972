"""The first and the last face that each ray meets, in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor

from mri2mesh.rendering.settings import ON_EDGE


def nearest_and_farthest(
    screen: Tensor, faces: Tensor, label: Tensor, n_labels: int, size: tuple[int, int], perspective: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """depth [J, L, 2, H, W] (infinity and minus infinity where there is none), face [J, L, 2, H, W] int32 (-1), and
    the weights [J, L, 2, H, W, 3] float32 of the face's corners at the crossing.

    screen: [J, V, 3] (column, row, depth); faces: [F, 3]; label: [F]. Written to be read: one image, one structure and
    one side after the other.
    """
    images = len(screen)
    depth = screen.new_full((images, n_labels, 2, *size), torch.inf, dtype=torch.float64)
    depth[:, :, 1] = -torch.inf
    face = torch.full(depth.shape, -1, dtype=torch.int32, device=screen.device)
    weight = torch.zeros(*depth.shape, 3, dtype=torch.float32, device=screen.device)
    for image in range(images):
        for structure in range(n_labels):
            own = torch.nonzero(label == structure)[:, 0]
            if not len(own):
                continue
            pixel, z, number, w = _crossings(
                screen[image : image + 1].double(), faces[own], size, perspective
            )
            for side, reduce in enumerate(("amin", "amax")):
                flat = depth[image, structure, side].view(-1)
                flat.scatter_reduce_(0, pixel, z, reduce)
                won = z == flat[pixel]
                face[image, structure, side].view(-1)[pixel[won]] = own[number[won]].int()
                weight[image, structure, side].view(-1, 3)[pixel[won]] = w[won].float()
    return depth, face, weight


def _crossings(
    screen: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pixel, depth, number of the face and weights of its corners, of every crossing."""
    found = []
    for number in range(len(faces)):
        x, y, z = screen[0, faces[number]].unbind(-1)
        low = torch.stack([y.min(), x.min()]).ceil().clamp_min(0).long()
        high = torch.minimum(
            torch.stack([y.max(), x.max()]).floor(), torch.tensor(size, dtype=x.dtype) - 1
        ).long()
        if bool((high < low).any()):
            continue
        row, column = (axis.flatten() for axis in torch.meshgrid(
            torch.arange(int(low[0]), int(high[0]) + 1), torch.arange(int(low[1]), int(high[1]) + 1), indexing="ij"
        ))  # fmt: skip
        side_x, side_y = x.roll(-1) - x, y.roll(-1) - y
        area = side_x[0] * side_y[1] - side_x[1] * side_y[0]
        if area == 0:
            continue
        opposite = [(side_x[k] * (row - y[k]) - side_y[k] * (column - x[k])) / area for k in range(3)]
        w = torch.stack([opposite[1], opposite[2], opposite[0]], -1)
        inside = w.min(-1).values >= ON_EDGE
        w = w[inside]
        if perspective:
            w = w / z
            depth = 1 / w.sum(-1)
            w = w * depth[:, None]
        else:
            depth = w @ z
        pixel = (row * size[1] + column)[inside]
        found.append((pixel, depth, torch.full_like(pixel, number), w))
    if not found:
        none = torch.zeros(0, dtype=torch.int64)
        return none, torch.zeros(0, dtype=torch.float64), none, torch.zeros(0, 3, dtype=torch.float64)
    return tuple(torch.cat(column) for column in zip(*found, strict=True))  # type: ignore[return-value]


def interpolated(face: Tensor, weights: Tensor, faces: Tensor, values: Tensor) -> Tensor:
    """[..., C] what vertices carry [V, C] at crossings: face [...] (-1: zero), weights [..., 3] of its corners."""
    on = face >= 0
    out = values.new_zeros(*face.shape, values.shape[1])
    out[on] = (values[faces[face[on].long()]] * weights[on][..., None].to(values)).sum(-2)
    return out
