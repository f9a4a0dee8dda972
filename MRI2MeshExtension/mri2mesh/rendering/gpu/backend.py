"""The back-end for GPUs: NVIDIA Warp kernels, launched on torch's stream, that never wait for the device.

It also runs on the CPU, one task after the other on one core: there it is a check of the kernels, not a way to render.
All arithmetic is float64 (`gpu.faces` says why). Warp installs with pip (warp-lang) and brings its own compiler;
kernels are compiled on first use and kept in the user's cache folder.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2mesh.rendering.gpu import drr, hard, soft, thickness
from mri2mesh.rendering.gpu.launch import doubles, launch, runs_on, strips
from mri2mesh.rendering.gpu.pairs import Blend
from mri2mesh.rendering.settings import EPSILON, MIN_AREA_NDC, SoftSettings
from mri2mesh.rendering.surfaces import ClosedSurfaces

__all__ = ["crossing_depth", "crossing_tangents", "line_integrals", "nearest_depth", "runs_on", "soft_images"]


def crossing_depth(
    screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Tensor:
    """As `plain.thickness.crossing_depth`; [J, n_labels, H, W] float64."""
    return _CrossingDepth.apply(screen, surfaces, size, perspective)


def crossing_tangents(
    screen: Tensor, moved: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Tensor:
    """As `plain.thickness.crossing_tangents`; float32."""
    points, faces, label = doubles(screen), surfaces.faces.contiguous(), surfaces.label.contiguous()
    planes = (len(points) * surfaces.n_labels, *size, moved.shape[1])
    out = torch.zeros(planes, dtype=torch.float32, device=points.device)
    tasks = _tasks(points, faces, size)
    scene = (points, doubles(moved), faces, label, perspective, tasks[2], surfaces.n_labels)
    launch(thickness.tangents, tasks, (*scene, out), points.device)
    return out.view(len(points), surfaces.n_labels, *size, moved.shape[1])


def soft_images(screen: Tensor, faces: Tensor, settings: SoftSettings) -> tuple[Tensor, Tensor]:
    """As `plain.soft.soft_images`; float64."""
    return _SoftImages.apply(screen, faces, settings)


def nearest_depth(screen: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
    """As `plain.hard.nearest_depth`; float64."""
    points, faces = doubles(screen), faces.contiguous()
    out = torch.full((len(points), *size), torch.inf, dtype=torch.float64, device=points.device)
    tasks = _tasks(points, faces, size)
    scene = (points, faces, perspective, _least_area(size), tasks[2])
    launch(hard.forward, tasks, (*scene, out), points.device)
    return out


def line_integrals(
    volume: Tensor, origin: Tensor, direction: Tensor, path: Tensor, method: str, step_mm: float
) -> Tensor:
    """As `plain.drr.line_integrals`; float64."""
    return _LineIntegrals.apply(volume, origin, direction, path, method, step_mm)


def _least_area(size: tuple[int, int]) -> float:
    """Square pixels: `MIN_AREA_NDC` at this image size."""
    return MIN_AREA_NDC * (min(size) / 2) ** 2


def _tasks(points: Tensor, faces: Tensor, size: tuple[int, int]) -> tuple[int, int, int]:
    """Images, faces, and strips of a face: the shape of a launch."""
    return len(points), len(faces), strips(len(points), len(faces), size[0], points.device)


class _CrossingDepth(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
    ) -> Tensor:
        points = doubles(screen)
        faces, label = surfaces.faces.contiguous(), surfaces.label.contiguous()
        out = points.new_zeros(len(points), surfaces.n_labels, *size)
        tasks = _tasks(points, faces, size)
        launch(thickness.forward, tasks, (points, faces, label, perspective, tasks[2], out), points.device)
        ctx.save_for_backward(points, faces, label)
        ctx.perspective, ctx.tasks, ctx.dtype = perspective, tasks, screen.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        points, faces, label = ctx.saved_tensors
        to_screen = torch.zeros_like(points)
        scene = (points, faces, label, ctx.perspective, ctx.tasks[2])
        launch(thickness.adjoint, ctx.tasks, (*scene, doubles(grad), to_screen), points.device)
        return to_screen.to(ctx.dtype), None, None, None


class _SoftImages(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, screen: Tensor, faces: Tensor, settings: SoftSettings) -> tuple[Tensor, Tensor]:
        points, faces = doubles(screen), faces.contiguous()
        blend, tasks = _blend(settings), _tasks(points, faces, settings.size)
        state = points.new_zeros(soft.STATES, len(points), *settings.size)
        state[soft.NEAREST].fill_(EPSILON)
        scene = (points, faces, blend, tasks[2])
        launch(soft.nearest, tasks, (*scene, state), points.device)
        launch(soft.weigh, tasks, (*scene, state), points.device)
        silhouette, depth = torch.empty_like(state[0]), torch.empty_like(state[0])
        launch(soft.finish, silhouette.shape, (blend, state, silhouette, depth), points.device)
        ctx.save_for_backward(points, faces, state)
        ctx.blend, ctx.tasks, ctx.dtype = blend, tasks, screen.dtype
        return silhouette, depth

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_silhouette: Tensor, grad_depth: Tensor) -> tuple[Tensor, None, None]:
        points, faces, state = ctx.saved_tensors
        to_screen = torch.zeros_like(points)
        upstream = (doubles(grad_silhouette), doubles(grad_depth))
        scene = (points, faces, ctx.blend, ctx.tasks[2], state)
        launch(soft.adjoint, ctx.tasks, (*scene, *upstream, to_screen), points.device)
        return to_screen.to(ctx.dtype), None, None


def _blend(settings: SoftSettings) -> Any:
    blend = Blend()
    for name in ("sigma", "reach", "gamma", "near", "far", "background"):
        setattr(blend, name, float(getattr(settings, name)))
    blend.least, blend.cull = _least_area(settings.size), settings.cull
    return blend


class _LineIntegrals(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, volume: Tensor, origin: Tensor, direction: Tensor, path: Tensor, method: str, step_mm: float
    ) -> Tensor:
        voxels = volume.detach().to(torch.float32).contiguous()
        rays: tuple[Tensor, ...] = (voxels, doubles(origin), doubles(direction))
        out = rays[2].new_empty(direction.shape[:3])
        if method == "trilinear":
            rays = (*rays, doubles(path.expand(direction.shape[:3])))
        step = (float(step_mm),) if method == "trilinear" else ()
        kernel = drr.trilinear if method == "trilinear" else drr.siddon
        launch(kernel, out.shape, (*rays, *step, out), out.device)
        ctx.save_for_backward(*rays)
        ctx.step, ctx.dtype = step, origin.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor, None, None, None]:
        grad, rays = doubles(grad), ctx.saved_tensors
        to_origin, to_direction = torch.empty_like(rays[2]), torch.empty_like(rays[2])
        adjoint = drr.trilinear_adjoint if ctx.step else drr.siddon_adjoint
        launch(adjoint, grad.shape, (*rays, *ctx.step, grad, to_origin, to_direction), grad.device)
        return None, to_origin.sum((1, 2)).to(ctx.dtype), to_direction.to(ctx.dtype), None, None, None
