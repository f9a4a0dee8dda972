"""The compiled back-end for CPUs: numba kernels on all cores, no pairs of pixel and face in memory.

numba installs with pip on Windows, macOS and Linux and brings its own compiler. Kernels are compiled on first use and
kept beside the code, or in the user's cache folder where the installation cannot be written.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2mesh.rendering.compiled import thickness
from mri2mesh.rendering.compiled.faces import bands, face_rows
from mri2mesh.rendering.surfaces import ClosedSurfaces

MOST_THREADS: int = numba.get_num_threads()


def crossing_depth(
    screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
) -> Tensor:
    """As `plain.thickness.crossing_depth`; [J, n_labels, H, W] float64."""
    return _CrossingDepth.apply(screen, surfaces, size, perspective)


def _threads() -> int:
    """As many threads as torch was told to use: users limit both at once."""
    count = max(1, min(torch.get_num_threads(), MOST_THREADS))
    numba.set_num_threads(count)
    return count


class _CrossingDepth(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, screen: Tensor, surfaces: ClosedSurfaces, size: tuple[int, int], perspective: bool
    ) -> Tensor:
        threads = _threads()
        points = np.ascontiguousarray(screen.detach().numpy(), dtype=np.float64)
        faces, label = surfaces.faces.numpy().astype(np.int32), surfaces.label.numpy().astype(np.int32)
        boxes = np.empty((len(points), len(faces), 4), np.int32)
        face_rows(points, faces, size[0], size[1], 0.0, boxes)
        out = np.zeros((len(points), surfaces.n_labels, *size))
        thickness.forward(points, faces, label, boxes, perspective, bands(len(points), size[0], threads), out)
        ctx.kept = (points, faces, label, boxes, perspective)
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        _threads()
        points, faces, label, boxes, perspective = ctx.kept
        corners = np.empty((len(points), len(faces), 3, 3))
        wanted = np.ascontiguousarray(grad.numpy(), dtype=np.float64)
        thickness.adjoint(points, faces, label, boxes, perspective, wanted, corners)
        vertices = thickness.to_vertices(corners, faces, points.shape[1])
        return torch.from_numpy(vertices), None, None, None
