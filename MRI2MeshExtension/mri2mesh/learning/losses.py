"""Losses of the mesh engines: on images of the surface, on the surface's shape, and between surfaces.

Meshes are [B, V, 3] in millimetres with one shared `MeshTopology`; images are [B, N, H, W]. Every loss is a
mean over the batch. The shape losses take an optional reference ([V, 3] or [B, V, 3], usually the template):
then the reference itself costs nothing, so that sharp processes are not worn away.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional

from mri2mesh.geometry.topology import MeshTopology


def dice_loss(silhouette: Tensor, target: Tensor, valid: Tensor | None = None, smooth: float = 1.0) -> Tensor:
    """1 - Dice of soft silhouettes in 0..1, per image, averaged over the images that have a valid pixel.

    valid: [B, N, H, W] bool; pixels where it is False do not count. smooth: pixels added above and below, so
        that
    two empty images agree.
    """
    target = target.to(silhouette.dtype)
    weight = torch.ones_like(silhouette) if valid is None else valid.to(silhouette.dtype)
    overlap = (weight * silhouette * target).sum((-2, -1))
    total = (weight * (silhouette + target)).sum((-2, -1))
    loss = 1 - (2 * overlap + smooth) / (total + smooth)
    seen = (weight.sum((-2, -1)) > 0).to(loss.dtype)
    return (loss * seen).sum() / seen.sum().clamp(min=1)


def both_on(
    silhouette: Tensor, target: Tensor, valid: Tensor | None = None, threshold: float = 0.5
) -> Tensor:
    """[B, N, H, W] bool: where prediction and target both show the structure; the mask of the depth loss."""
    mask = (silhouette.detach() > threshold) & (target > threshold)
    return mask if valid is None else mask & valid.bool()


def depth_l1_loss(depth: Tensor, target: Tensor, mask: Tensor, scale_mm: float = 1.0) -> Tensor:
    """Mean absolute depth difference where mask is on, divided by scale_mm; 0 for an empty mask.

    Differences outside the mask are never formed, so the target may be anything there, even NaN.
    """
    difference = torch.where(mask, depth - target.to(depth.dtype), 0.0).abs()
    return difference.sum() / mask.sum().clamp(min=1) / scale_mm


def laplacian_loss(vertices: Tensor, topology: MeshTopology, reference: Tensor | None = None) -> Tensor:
    """Mean squared length (mm^2) of the uniform Laplacian, or of its difference to the reference's.

    The reference must have the same orientation as the vertices: Laplacian vectors are compared, not lengths.
    """
    laplacian = topology.laplacian(vertices)
    if reference is not None:
        laplacian = laplacian - topology.laplacian(_batched(reference, vertices))
    return laplacian.square().sum(-1).mean()


def sliding_loss(vertices: Tensor, reference: Tensor, normals: Tensor) -> Tensor:
    """Mean squared move (mm^2) across the normals: of vertices [B, V, 3] from a reference with unit normals, both
    [B, V, 3].

    Images do not show vertices that slide over the surface; those that do lose their anatomical place and fold.
    """
    move = vertices - reference
    across = move - (move * normals).sum(-1, keepdim=True) * normals
    return across.square().sum(-1).mean()


def _dihedral(vertices: Tensor, topology: MeshTopology) -> tuple[Tensor, Tensor]:
    """Cosine and signed sine [B, P] of the angle between the normals of neighbouring faces."""
    normals = functional.normalize(topology.face_normals(vertices), dim=-1, eps=1e-12)
    first, second = normals[:, topology.face_pairs[:, 0]], normals[:, topology.face_pairs[:, 1]]
    edge = vertices[:, topology.pair_edges[:, 1]] - vertices[:, topology.pair_edges[:, 0]]
    edge = functional.normalize(edge, dim=-1, eps=1e-12)
    return (first * second).sum(-1), (torch.linalg.cross(first, second) * edge).sum(-1)


def normal_consistency_loss(
    vertices: Tensor, topology: MeshTopology, reference: Tensor | None = None
) -> Tensor:
    """Mean of 1 - cos(angle) over pairs of neighbouring faces, in 0..2.

    The angle is that between their normals (0 = flat) or, with a reference, its signed difference to the
    reference's angle at the same edge: a ridge that stays as sharp as the template's costs nothing.
    """
    cosine, sine = _dihedral(vertices, topology)
    if reference is None:
        return (1 - cosine).mean()
    with torch.no_grad():
        wanted_cosine, wanted_sine = _dihedral(_batched(reference, vertices), topology)
    return (1 - (cosine * wanted_cosine + sine * wanted_sine)).mean()


def _edge_lengths(vertices: Tensor, topology: MeshTopology) -> Tensor:
    """[B, E] mm."""
    difference = vertices[:, topology.edges[:, 0]] - vertices[:, topology.edges[:, 1]]
    return torch.linalg.vector_norm(difference, dim=-1)


def edge_length_loss(vertices: Tensor, topology: MeshTopology, reference: Tensor | None = None) -> Tensor:
    """Mean of (length / wanted - 1)^2 over the edges; no unit.

    The wanted length is the mean edge length of the same mesh (no gradient through it), or with a reference
    the reference's length of the same edge, scaled so that both meshes have the same mean edge length: size
    is free.
    """
    lengths = _edge_lengths(vertices, topology)
    wanted = lengths.detach().mean(1, keepdim=True)
    if reference is not None:
        given = _edge_lengths(_batched(reference, vertices), topology).detach()
        wanted = given * (wanted / given.mean(1, keepdim=True))
    return (lengths / wanted.clamp(min=1e-6) - 1).square().mean()


def sample_points(
    vertices: Tensor, faces: Tensor, n: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """n points spread evenly over each surface and their unit normals, both [B, n, 3], differentiable to
    vertices.

    vertices: [B, V, 3]; faces: [F, 3]. Faces are drawn by area, places within a face by barycentric weights.
    """
    a, b, c = (vertices[:, faces[:, k]] for k in range(3))
    normals = torch.linalg.cross(b - a, c - a)
    with torch.no_grad():
        area = torch.linalg.vector_norm(normals, dim=-1)
        chosen = torch.multinomial(area.clamp(min=1e-12), n, replacement=True, generator=generator)
        # The square root makes the density even; see Osada et al., ACM TOG 2002, section 4.2.
        shape = (2, *chosen.shape)
        draw = torch.rand(shape, generator=generator, device=vertices.device, dtype=vertices.dtype)
        root = draw[0].sqrt()
        weights = torch.stack([1 - root, root * (1 - draw[1]), root * draw[1]], dim=-1)
    rows = torch.arange(len(vertices), device=vertices.device)[:, None]
    corners = torch.stack([a[rows, chosen], b[rows, chosen], c[rows, chosen]], dim=2)
    points = (weights[..., None] * corners).sum(2)
    return points, functional.normalize(normals[rows, chosen], dim=-1, eps=1e-12)


def nearest_index(points: Tensor, targets: Tensor, chunk: int = 2048) -> Tensor:
    """[B, n] index of the nearest of targets [B, m, 3] for each of points [B, n, 3]; no gradient."""
    with torch.no_grad():
        if points.device.type == "cpu":  # a tree is some twenty times as fast as all distances
            pairs = zip(points.detach().float().numpy(), targets.detach().float().numpy(), strict=True)
            found = [cKDTree(there).query(here)[1] for here, there in pairs]
            return torch.from_numpy(np.stack(found)).long()
        # Exact differences: the matrix-product shortcut of cdist loses small distances in float32.
        mode = "donot_use_mm_for_euclid_dist"
        parts = [torch.cdist(part, targets, compute_mode=mode).argmin(2) for part in points.split(chunk, 1)]
        return torch.cat(parts, dim=1)


def chamfer_distance(
    points: Tensor, targets: Tensor, normals: Tensor | None = None, target_normals: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mean squared distance (mm^2) to the nearest neighbour, summed over both directions, and the normals'
    term.

    points: [B, n, 3], targets: [B, m, 3]. The normals' term is the mean of 1 - |cos| between the normals of
    neighbours, summed over both directions; 0 when normals are not given.
    """
    distance, disagreement = points.new_zeros(()), points.new_zeros(())
    for here, there, here_normals, there_normals in (
        (points, targets, normals, target_normals),
        (targets, points, target_normals, normals),
    ):
        index = nearest_index(here, there)
        rows = torch.arange(len(here), device=here.device)[:, None]
        distance = distance + (here - there[rows, index]).square().sum(-1).mean()
        if here_normals is not None and there_normals is not None:
            cosine = (here_normals * there_normals[rows, index]).sum(-1)
            disagreement = disagreement + (1 - cosine.abs()).mean()
    return distance, disagreement


def chamfer_loss(
    vertices: Tensor,
    faces: Tensor,
    target_points: Tensor,
    target_normals: Tensor | None = None,
    *,
    n_samples: int = 2000,
    normal_weight: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Symmetric Chamfer loss (mm^2) between surfaces [B, V, 3] and points [B, m, 3] on the true surfaces.

    normal_weight: mm^2 that one unit of normal disagreement (`chamfer_distance`) counts for.
    """
    points, normals = sample_points(vertices, faces, n_samples, generator)
    distance, disagreement = chamfer_distance(
        points, target_points, normals if normal_weight else None, target_normals
    )
    return distance + normal_weight * disagreement


def _batched(reference: Tensor, like: Tensor) -> Tensor:
    """A reference [V, 3] or [B, V, 3] as a tensor of the batch's rank, precision and device."""
    reference = reference.detach().to(like)
    return reference[None] if reference.ndim == 2 else reference
