"""Compiling the renderer before it is needed, so that a user sees why the first run takes longer.

Kernels are compiled once on a computer and from then on read from a cache. Those of `compiled/` take some 60 seconds
and are kept beside the code, or in the user's cache folder where the installation cannot be written (NUMBA_CACHE_DIR
names another). Those of `gpu/` are always kept in the user's cache folder (WARP_CACHE_PATH names another).
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch

from mri2mesh.rendering.backends import name_of
from mri2mesh.rendering.cameras import OrthographicCameras, axis_views
from mri2mesh.rendering.drr import render_drr
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.soft import blur_for, render_soft
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness, thickness_tangents

TETRAHEDRON = torch.tensor([[0.0, 0, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5]])
FACES = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
CAMERAS = OrthographicCameras(axis_views()[:1], torch.zeros(3), 1.0, (16, 16))


def prepare(
    progress: Callable[[str, float], None] | None = None,
    *,
    device: torch.device | str = "cpu",
    backend: str = "auto",
    only: Collection[str] | None = None,
) -> None:
    """Run every kernel once, on four faces and eight voxels, with the back-end that renders on a device.

    progress: called with what is compiled and the fraction done, 0 to 1. backend: see `backends.choose`. only: names in
    `STEPS`, for whoever needs no more. Does nothing where plain torch renders, which has nothing to compile. Raises
    InputError as `backends.choose` does.
    """
    device = torch.device(device)
    name = name_of(backend, device)
    if name == "torch":
        return
    report_progress = progress or (lambda message, done: None)
    steps = {what: step for what, step in STEPS.items() if only is None or what in only}
    whole, done = sum(share for share, _ in steps.values()), 0.0
    for what, (share, run) in steps.items():
        report_progress(f"preparing the renderer (compiled once on this computer): {what}", done / whole)
        run(device, name)
        done += share
    report_progress("the renderer is ready", 1.0)


def _thickness(device: torch.device, backend: str) -> None:
    vertices = TETRAHEDRON[None].to(device).requires_grad_(True)
    surfaces = ClosedSurfaces.of(FACES, 4).to(device)
    ray_thickness(vertices, surfaces, CAMERAS.to(device), backend=backend).sum().backward()
    directions = torch.ones_like(vertices)[:, None]
    thickness_tangents(vertices, directions, surfaces, CAMERAS.to(device), backend=backend)


def _soft(device: torch.device, backend: str) -> None:
    vertices, cameras = TETRAHEDRON[None].to(device).requires_grad_(True), CAMERAS.to(device)
    sigma, blur_radius = blur_for(cameras)
    soft = render_soft(vertices, FACES.to(device), cameras, sigma, 1e-2, blur_radius, backend=backend)
    (soft.silhouette.sum() + soft.depth.sum()).backward()


def _depth(device: torch.device, backend: str) -> None:
    render_hard(TETRAHEDRON[None].to(device), FACES.to(device), CAMERAS.to(device), backend=backend)


def _drr(device: torch.device, backend: str) -> None:
    matrix = torch.tensor([[10.0, 0, 5, 0], [0, 10, 5, 0], [0, 0, 1, 0]], dtype=torch.float64, device=device)
    pose = torch.eye(4, dtype=torch.float64, device=device)
    pose[2, 3] = 10.0  # in front of the source, which is at the origin
    pose.requires_grad_(True)
    volume = torch.ones(2, 2, 2, device=device)
    for method in ("siddon", "trilinear"):
        cameras = ProjectiveCameras(matrix[None], (8, 8))
        render_drr(volume, pose, cameras, method=method, backend=backend).sum().backward()


STEPS = {
    "ray thickness": (0.35, _thickness),
    "soft images": (0.3, _soft),
    "depth": (0.05, _depth),
    "line integrals": (0.3, _drr),
}
"""What is compiled, its share of the work, and how."""
