"""Compiling the renderer before it is needed, so that a user sees why the first run takes longer.

The kernels of `compiled/` are compiled once on a computer, for some 40 seconds, and from then on read from a cache:
beside the code, or in the user's cache folder where the installation cannot be written (NUMBA_CACHE_DIR names another).
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from mri2mesh.rendering.backends import available
from mri2mesh.rendering.cameras import OrthographicCameras, axis_views
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.soft import blur_for, render_soft
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness

TETRAHEDRON = torch.tensor([[0.0, 0, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5]])
FACES = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def prepare(progress: Callable[[str, float], None] | None = None) -> None:
    """Run every kernel once on four faces. progress: told what is compiled and what share is done, 0 to 1.

    Does nothing where the compiled back-end is not installed.
    """
    if "numba" not in available():
        return
    tell = progress or (lambda message, done: None)
    cameras = OrthographicCameras(axis_views()[:1], torch.zeros(3), 1.0, (16, 16))
    vertices = TETRAHEDRON[None].clone().requires_grad_(True)

    tell("compiling the renderer (once on this computer): ray thickness", 0.0)
    ray_thickness(vertices, ClosedSurfaces.of(FACES, 4), cameras, backend="numba").sum().backward()
    tell("compiling the renderer (once on this computer): soft images", 0.4)
    soft = render_soft(vertices, FACES, cameras, *_blur(cameras), backend="numba")
    (soft.silhouette.sum() + soft.depth.sum()).backward()
    tell("compiling the renderer (once on this computer): depth", 0.9)
    render_hard(vertices.detach(), FACES, cameras, backend="numba")
    tell("the renderer is compiled", 1.0)


def _blur(cameras: OrthographicCameras) -> tuple[float, float, float]:
    sigma, blur_radius = blur_for(cameras)
    return sigma, 1e-2, blur_radius
