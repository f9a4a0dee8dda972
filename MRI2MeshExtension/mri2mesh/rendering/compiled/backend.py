"""The compiled back-end for CPUs: numba kernels on all cores, no pairs of pixel and face in memory.

numba installs with pip on Windows, macOS and Linux and brings its own compiler. Kernels are compiled on first use and
kept beside the code, or in the user's cache folder where the installation cannot be written.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2mesh.rendering.compiled import both_faces, drr, hard, soft, thickness
from mri2mesh.rendering.compiled.faces import bands, face_rows, to_vertices
from mri2mesh.rendering.settings import MIN_AREA_NDC, SoftSettings
from mri2mesh.rendering.surfaces import ClosedSurfaces

_torch_threads = torch.get_num_threads()
MOST_THREADS: int = numba.get_num_threads()
# Numba's first call sets the number of OpenMP threads of the whole process, which is PyTorch's too: put back.
torch.set_num_threads(_torch_threads)


def crossing_depth(
    screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Tensor:
    """As `plain.thickness.crossing_depth`; [J, n_labels, H, W] float64."""
    return _CrossingDepth.apply(screen, surfaces, size, perspective)


def crossing_tangents(
    screen: Tensor, moved: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Tensor:
    """As `plain.thickness.crossing_tangents`; float32."""
    n_bands = bands(len(screen), size[0], _threads())
    points, faces, label, boxes = _scene(screen, surfaces, size)
    out = np.zeros((len(points), surfaces.n_labels, *size, moved.shape[1]), np.float32)
    along = np.ascontiguousarray(moved.detach().numpy(), dtype=np.float32)
    thickness.tangents(points, along, faces, label, boxes, perspective, n_bands, out)
    return torch.from_numpy(out)


def soft_images(screen: Tensor, faces: Tensor, settings: SoftSettings) -> tuple[Tensor, Tensor]:
    """As `plain.soft.soft_images`; float64."""
    return _SoftImages.apply(screen, faces, settings)


def nearest_depth(screen: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
    """As `plain.hard.nearest_depth`; float64."""
    n_bands = bands(len(screen), size[0], _threads())
    points, corners_of = _doubles(screen), faces.numpy().astype(np.int32)
    out = np.empty((len(points), *size))
    boxes = _boxes(points, corners_of, size, 0.0)
    hard.forward(points, corners_of, boxes, perspective, _least_area(size), n_bands, out)
    return torch.from_numpy(out)


def nearest_and_farthest(
    screen: Tensor, faces: Tensor, label: Tensor, n_labels: int, size: tuple[int, int], perspective: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """As `plain.both_faces.nearest_and_farthest`."""
    n_bands = bands(len(screen), size[0], _threads())
    points, corners_of = _doubles(screen), faces.numpy().astype(np.int32)
    shape = (len(points), n_labels, 2, *size)
    depth, hit, weight = np.empty(shape), np.empty(shape, np.int32), np.empty((*shape, 3), np.float32)
    scene = (points, corners_of, label.numpy().astype(np.int32), _boxes(points, corners_of, size, 0.0))
    both_faces.forward(*scene, perspective, _least_area(size), n_bands, depth, hit, weight)
    return torch.from_numpy(depth), torch.from_numpy(hit), torch.from_numpy(weight)


def interpolated(face: Tensor, weights: Tensor, faces: Tensor, values: Tensor) -> Tensor:
    """As `plain.both_faces.interpolated`; float32."""
    out = np.zeros((*face.shape, values.shape[1]), np.float32)
    flat = out.reshape(-1, values.shape[1])
    corners = np.ascontiguousarray(values.numpy(), dtype=np.float32)
    scene = (face.numpy().ravel(), weights.numpy().reshape(-1, 3), faces.numpy().astype(np.int32), corners)
    both_faces.interpolated(*scene, flat)
    return torch.from_numpy(out)


def line_integrals(
    volume: Tensor, origin: Tensor, direction: Tensor, path: Tensor, method: str, step_mm: float
) -> Tensor:
    """As `plain.drr.line_integrals`; float64."""
    return _LineIntegrals.apply(volume, origin, direction, path, method, step_mm)


def _least_area(size: tuple[int, int]) -> float:
    """Square pixels: `MIN_AREA_NDC` at this image size."""
    return MIN_AREA_NDC * (min(size) / 2) ** 2


def _threads() -> int:
    """As many threads as torch is set to use: users limit both at once."""
    count = max(1, min(torch.get_num_threads(), MOST_THREADS))
    numba.set_num_threads(count)
    return count


def _doubles(tensor: Tensor) -> NDArray[np.float64]:
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float64)


def _boxes(points: NDArray, faces: NDArray, size: tuple[int, int], reach: float) -> NDArray[np.int32]:
    boxes = np.empty((len(points), len(faces), 4), np.int32)
    face_rows(points, faces, size[0], size[1], reach, boxes)
    return boxes


def _scene(
    screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Points, faces, labels and the pixels each face can touch, as the kernels of thickness want them."""
    points = _doubles(screen)
    faces, label = surfaces.faces.numpy().astype(np.int32), surfaces.label.numpy().astype(np.int32)
    return points, faces, label, _boxes(points, faces, size, 0.0)


class _CrossingDepth(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
    ) -> Tensor:
        n_bands = bands(len(screen), size[0], _threads())
        points, faces, label, boxes = _scene(screen, surfaces, size)
        out = np.zeros((len(points), surfaces.n_labels, *size))
        thickness.forward(points, faces, label, boxes, perspective, n_bands, out)
        ctx.kept, ctx.dtype = (points, faces, label, boxes, perspective), screen.dtype
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        _threads()
        points, faces, label, boxes, perspective = ctx.kept
        corners = np.empty((len(points), len(faces), 3, 3))
        thickness.adjoint(points, faces, label, boxes, perspective, _doubles(grad), corners)
        vertices = torch.from_numpy(to_vertices(corners, faces, points.shape[1]))
        return vertices.to(ctx.dtype), None, None, None


class _SoftImages(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, screen: Tensor, faces: Tensor, settings: SoftSettings) -> tuple[Tensor, Tensor]:
        n_bands = bands(len(screen), settings.size[0], _threads())
        points, corners_of = _doubles(screen), faces.numpy().astype(np.int32)
        boxes = _boxes(points, corners_of, settings.size, math.sqrt(settings.reach))
        numbers = (
            settings.sigma,
            settings.reach,
            settings.gamma,
            settings.near,
            settings.far,
            settings.background,
        )
        scene = (
            points,
            corners_of,
            boxes,
            *(float(n) for n in numbers),
            settings.cull,
            _least_area(settings.size),
        )
        state = np.empty((len(points), *settings.size, soft.STATES))
        soft.forward(*scene, n_bands, state)
        ctx.kept, ctx.dtype = (scene, state), screen.dtype
        images = torch.from_numpy(state)
        return 1 - images[..., soft.CLEAR], images[..., soft.DEPTH].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_silhouette: Tensor, grad_depth: Tensor) -> tuple[Tensor, None, None]:
        _threads()
        scene, state = ctx.kept
        points, faces = scene[:2]
        corners = np.empty((len(points), len(faces), 3, 3))
        soft.adjoint(*scene, state, _doubles(grad_silhouette), _doubles(grad_depth), corners)
        return torch.from_numpy(to_vertices(corners, faces, points.shape[1])).to(ctx.dtype), None, None


class _LineIntegrals(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, volume: Tensor, origin: Tensor, direction: Tensor, path: Tensor, method: str, step_mm: float
    ) -> Tensor:
        _threads()
        voxels = np.ascontiguousarray(volume.detach().numpy(), dtype=np.float32)
        rays: tuple[Any, ...] = (voxels, _doubles(origin), _doubles(direction))
        out = np.empty(direction.shape[:3])
        if method == "siddon":
            drr.siddon(*rays, out)
        else:
            comb = (_doubles(path.expand(direction.shape[:3])), float(step_mm))
            rays = (*rays, *comb)
            drr.trilinear(*rays, out)
        ctx.kept, ctx.method, ctx.dtype = rays, method, origin.dtype
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor, None, None, None]:
        _threads()
        to_origin, to_direction = np.empty((*grad.shape, 3)), np.empty((*grad.shape, 3))
        adjoint = drr.siddon_adjoint if ctx.method == "siddon" else drr.trilinear_adjoint
        adjoint(*ctx.kept, _doubles(grad), to_origin, to_direction)
        origin, direction = torch.from_numpy(to_origin).sum((1, 2)), torch.from_numpy(to_direction)
        return None, origin.to(ctx.dtype), direction.to(ctx.dtype), None, None, None
