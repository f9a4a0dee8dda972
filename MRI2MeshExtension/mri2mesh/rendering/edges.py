"""Silhouettes whose derivative comes from their visible boundary alone: cheaper than soft ones where only it matters.

The silhouette is the hard one, except where it changes between two neighbouring pixels of a row or a column: there the
contour edge that lies between their centres says how much of the pixel in which it falls is covered. So the image is
anti-aliased, its sum is the area of the silhouette to a small part of a pixel, and its derivative is that of the area:
moving a contour edge covers or uncovers pixels along it. Contours inside the silhouette change nothing and cost
nothing. (Edge sampling as in Li et al., SIGGRAPH Asia 2018, with the pixel pairs of Laine et al., 2020.)
"""

from __future__ import annotations

import torch
from torch import Tensor

from mri2mesh.geometry.topology import MeshTopology
from mri2mesh.rendering import checks
from mri2mesh.rendering.backends import choose
from mri2mesh.rendering.views import Cameras


def render_silhouette(
    vertices: Tensor, topology: MeshTopology, cameras: Cameras, *, backend: str = "auto"
) -> Tensor:
    """[B, N, H, W] anti-aliased silhouettes of B closed meshes [B, V, 3] in N views, differentiable.

    0 outside, 1 inside, between them at the boundary; around details thinner than a pixel a little below 0 or above 1.
    topology: of the shared faces (`MeshTopology.from_faces`). backend: see `backends.choose`.
    Raises InputError for a vertex behind the source; on CUDA its images are NaN (see `checks`). On CUDA this function
    waits for the device all the same: how many edges are contours, and how many pixel pairs they cross, decides the
    sizes of tensors. `soft.render_soft` does not.
    """
    with torch.autocast(vertices.device.type, enabled=False):
        views = cameras.project(vertices.double())
        screen = views.flatten(0, 1)
    with torch.no_grad():
        nearest = choose(backend, vertices.device).nearest_depth
        on = torch.isfinite(nearest(screen, topology.faces, cameras.size, cameras.perspective))
        contours = contour_edges(screen, topology)
    image = on.to(screen.dtype)
    for axis in (0, 1):  # pairs along a row, then along a column
        image = image + _between_pairs(screen, contours, on, axis)
    return checks.mark_unseen(image.to(vertices.dtype).unflatten(0, views.shape[:2]), views)


def contour_edges(screen: Tensor, topology: MeshTopology) -> Tensor:
    """[3, E] image and both vertices of every edge between a face turned to the viewer and one turned away."""
    corner = screen[:, topology.faces.T, :2]  # [J, 3, F, 2]
    first, second = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    front = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0] < 0
    turned = front[:, topology.face_pairs[:, 0]] != front[:, topology.face_pairs[:, 1]]
    image, edge = turned.nonzero(as_tuple=True)
    return torch.stack([image, *topology.pair_edges[edge].T])


def _between_pairs(screen: Tensor, contours: Tensor, on: Tensor, axis: int) -> Tensor:
    """[J, H, W] what contours between neighbours add to the hard silhouette. axis: 0 along rows, 1 along columns."""
    image, start, stop = contours
    a, b = screen[image, start, :2], screen[image, stop, :2]
    across, along = (0, 1) if axis == 0 else (1, 0)  # a row is crossed where `along` (the row) is whole
    size = on.shape[1:]
    limit = size[0] if axis == 0 else size[1]
    low, high = torch.minimum(a, b)[:, along].detach(), torch.maximum(a, b)[:, along].detach()
    # Half open, so that the two edges of a chain share no line and leave none out.
    first = low.ceil().clamp(0, limit).long()
    count = (high.ceil().clamp(0, limit).long() - first).clamp(min=0)
    edge = torch.repeat_interleave(torch.arange(len(count), device=screen.device), count)
    line = first[edge] + torch.arange(len(edge), device=screen.device) - (count.cumsum(0) - count)[edge]
    a, b, image = a[edge], b[edge], image[edge]
    run = b[:, along] - a[:, along]
    place = a[:, across] + (line - a[:, along]) * (b[:, across] - a[:, across]) / run
    before = place.detach().floor().long()

    width = size[1] if axis == 0 else size[0]
    inside = (before >= 0) & (before < width - 1)
    a, b, image, line, place, before = (x[inside] for x in (a, b, image, line, place, before))
    pixel = torch.stack([image, line, before] if axis == 0 else [image, before, line])
    beyond = pixel.clone()
    beyond[2 if axis == 0 else 1] += 1
    first_on = on[tuple(pixel)]
    changes = first_on != on[tuple(beyond)]
    a, b, fraction, first_on = (x[changes] for x in (a, b, place - before, first_on))
    pixel, beyond = pixel[:, changes], beyond[:, changes]

    visible = _outmost(fraction.detach(), first_on, _flat(pixel, size), on.numel())
    a, b, fraction, first_on = (x[visible] for x in (a, b, fraction, first_on))
    pixel, beyond = pixel[:, visible], beyond[:, visible]
    # For a straight contour the two axes share its work by the squares of its normal.
    step = b - a
    share = step[:, along] ** 2 / (step**2).sum(-1)
    # The pixel in which the contour falls is covered less where it is on, more where it is off.
    gain = torch.where(first_on, fraction - 0.5, 0.5 - fraction) * share
    target = torch.where(fraction < 0.5, pixel, beyond)
    result = torch.zeros(on.numel(), dtype=screen.dtype, device=screen.device)
    return result.index_add(0, _flat(target, size), gain).view(on.shape)


def _flat(pixel: Tensor, size: torch.Size) -> Tensor:
    """[n] places in the flattened images of pixels [3, n] (image, row, column)."""
    return (pixel[0] * size[0] + pixel[1]) * size[1] + pixel[2]


def _outmost(fraction: Tensor, left_on: Tensor, key: Tensor, pairs: int) -> Tensor:
    """Which crossings are visible: of several between the same two pixels, the one nearest to the pixel that is off."""
    outwards = torch.where(left_on, fraction, 1 - fraction)
    best = torch.full((pairs,), -1.0, dtype=fraction.dtype, device=fraction.device)
    best.scatter_reduce_(0, key, outwards, "amax")
    winner = outwards == best[key]
    # of crossings at the very same place (two edges in one line), the first
    index = torch.arange(len(key), device=key.device)
    first = torch.full((pairs,), len(key), device=key.device)
    first.scatter_reduce_(0, key, torch.where(winner, index, len(key)), "amin")
    return index == first[key]
