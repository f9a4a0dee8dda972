"""How far each ray travels inside closed surfaces, exactly, differentiable to vertices and cameras.

For a closed, outward surface the length inside it along a ray is the sum over crossed faces of -sign(d.n) t, with t
the distance to the crossing: no sorting and no pairing (Shetty et al., 2021, fit shape models through it). The
derivative at fixed visibility is exact: moving a face moves the crossing, and what enters at a silhouette enters with
length zero. Overlapping structures count each for itself, and their total counts the overlap twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mri2mesh.errors import InputError
from mri2mesh.rendering import checks
from mri2mesh.rendering.backends import choose
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.views import Cameras


def ray_thickness(
    vertices: Tensor, surfaces: ClosedSurfaces, cameras: Cameras, *, backend: str = "auto"
) -> Tensor:
    """[B, N, n_labels, H, W] millimetres inside each structure along the ray through each pixel centre.

    vertices: [B, V, 3] RAS mm, B meshes with the same faces in N views. Sums are made in float64 whatever the type of
    the vertices, which is the type of the result. backend: see `backends.choose`.
    Raises InputError for a surface at or behind the source (on CUDA its images are NaN: see `checks`), or vertices that
    do not fit the faces.
    """
    if vertices.ndim != 3 or vertices.shape[1:] != (surfaces.n_vertices, 3):
        raise InputError(
            f"vertices must be [B, {surfaces.n_vertices}, 3] for these surfaces, got {tuple(vertices.shape)}"
        )
    crossing_depth = choose(backend, vertices.device).crossing_depth
    with torch.autocast(vertices.device.type, enabled=False):
        screen = cameras.project(vertices.double())
        batch, views = screen.shape[:2]
        depth = crossing_depth(screen.flatten(0, 1), surfaces, cameras.size, cameras.perspective)
        depth = depth.unflatten(0, (batch, views))
        # The far side of a surface has positive area in an image as the source sees it.
        scale = cameras.path_per_depth().double() * cameras.handedness().double()[..., None, None]
        image = depth * scale[..., None, :, :].to(depth.device)
        return checks.mark_unseen(image, screen).to(vertices.dtype)


def thickness_tangents(
    vertices: Tensor, directions: Tensor, surfaces: ClosedSurfaces, cameras: Cameras, *, backend: str = "auto"
) -> Tensor:
    """[B, N, n_labels, H, W, P] mm of thickness per step along each of P directions: its Jacobian, in one pass.

    directions: [B, P, V, 3] mm, how the vertices [B, V, 3] move: the columns of a shape model, of a pose. For a few
    dozen parameters this is what a least-squares fit needs and costs about as much as two images do; the same through
    backward derivatives would take one pass for each pixel. Exact at fixed visibility; sums are made in float32 by the
    compiled back-end. The result carries no derivative. Raises InputError as `ray_thickness`.
    """
    if directions.ndim != 4 or directions[:, 0].shape != vertices.shape:
        raise InputError(f"directions must be [B, P, V, 3] for these vertices, got {tuple(directions.shape)}")
    crossing_tangents = choose(backend, vertices.device).crossing_tangents
    with torch.no_grad(), torch.autocast(vertices.device.type, enabled=False):
        vertices = vertices.double()
        screen = cameras.project(vertices)
        moved = cameras.project_directions(vertices, directions)
        batch, views = screen.shape[:2]
        change = crossing_tangents(
            screen.flatten(0, 1), moved.flatten(0, 1), surfaces, cameras.size, cameras.perspective
        )
        scale = cameras.path_per_depth() * cameras.handedness()[..., None, None]
        change = change.unflatten(0, (batch, views)).mul_(scale[..., None, :, :, None].to(change))
        return checks.mark_unseen(change, screen)


def transmission(thickness: Tensor, attenuation_per_mm: Sequence[float] | Tensor) -> Tensor:
    """[B, N, H, W] share of the beam that is left, exp(-sum of mu L) (Beer-Lambert), for mono-energetic X-rays.

    thickness: [B, N, n_labels, H, W] mm. attenuation_per_mm: [n_labels], the linear attenuation of each structure less
    that of what surrounds it.
    """
    mu = torch.as_tensor(attenuation_per_mm).to(thickness)
    return torch.exp(-torch.einsum("bnlhw,l->bnhw", thickness, mu))
