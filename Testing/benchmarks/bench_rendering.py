"""How long rendering takes: every back-end that is installed on the same work in turn, with ratios.

    make benchmark                                all of it
    make benchmark BENCHMARK_ARGS="-k thickness"  a part

Within a group the fastest is 1.0 and the others are multiples of it (in brackets). Times of different groups, days and
machines are not to be compared.

On a machine with an NVIDIA GPU whose driver knows CUDA 13 (the pinned Warp's), ten minutes after the installation:

    make .venv/.installed-tools
    .venv/bin/python -m pip install --constraint constraints.txt --editable ".[cuda,benchmark]"
    .venv/bin/python -m pytest Testing/rendering/test_cuda.py Testing/rendering/test_checks.py --durations=10
    make benchmark BENCHMARK_ARGS="-k cuda"                  torch and warp on the GPU, some four minutes
    make benchmark BENCHMARK_ARGS="-k '20480 and 256'"       one scene, CPU and GPU side by side

PyTorch3D is timed where a user has built it. Times on a GPU are those of the whole call with the wait for its result,
which a fit does not have.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.backends import available
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.soft import blur_for, render_soft
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness
from rendering.pytorch3d_images import soft_images_by_pytorch3d

FIELD_MM = 300.0
"""Side of the detector: an object of 80 mm radius at 700 of 1,000 mm fills most of it."""


def icosphere(subdivisions: int) -> tuple[Tensor, Tensor]:
    mesh = trimesh.creation.icosphere(subdivisions, 80.0)
    return torch.tensor(mesh.vertices, dtype=torch.float32)[None], torch.tensor(mesh.faces)


def pelvis() -> tuple[Tensor, Tensor]:
    """Sacrum and hips of the shipped family."""
    from mri2mesh.anatomy.pelvis_shapes import PelvisShapes

    bones = PelvisShapes.load().sample(np.random.default_rng(0))
    vertices, faces, start = [], [], 0
    for bone in (bones.sacrum, bones.left_hip, bones.right_hip):
        vertices.append(bone.vertices)
        faces.append(bone.faces + start)
        start += len(bone.vertices)
    points = np.concatenate(vertices)
    return torch.from_numpy(points - points.mean(0)).float()[None], torch.from_numpy(np.concatenate(faces))


SCENES = {
    "5120 faces": lambda: icosphere(4),
    "20480 faces": lambda: icosphere(5),
    "81920 faces": lambda: icosphere(6),
    "pelvis": pelvis,
}

WORK = [
    *((scene, 256, 1) for scene in SCENES),
    *(("20480 faces", size, 1) for size in (128, 512, 1024)),
    *(("20480 faces", 256, views) for views in (4, 16)),
]


def cameras(size: int, views: int) -> ProjectiveCameras:
    return ProjectiveCameras.of(
        [
            XrayCamera.from_c_arm(
                source_to_detector_mm=1000,
                source_to_isocentre_mm=700,
                pixel_spacing_mm=(FIELD_MM / size, FIELD_MM / size),
                size=(size, size),
                primary_angle_deg=360.0 * n / views,
                seen_from="detector",
            )
            for n in range(views)
        ]
    )


def devices() -> list[str]:
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def finished(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


RUNS = [
    (backend, device)
    for backend in available()
    for device in devices()
    if (backend, device) not in {("numba", "cuda"), ("warp", "cpu")}  # the latter is a check, on one core
]


@pytest.mark.parametrize("backend, device", RUNS)
@pytest.mark.parametrize("with_gradient", [False, True], ids=["forward", "with gradient"])
@pytest.mark.parametrize("scene, size, views", WORK)
def bench_thickness(benchmark, threads, scene, size, views, with_gradient, backend, device) -> None:
    vertices, faces = SCENES[scene]()
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1]).to(device)
    view = cameras(size, views)
    view = ProjectiveCameras(view.matrix.to(device), view.size, view.near_mm, view.far_mm)
    leaf = vertices.to(device).requires_grad_(with_gradient)

    def run() -> None:
        image = ray_thickness(leaf, surfaces, view, backend=backend)
        if with_gradient:
            image.square().mean().backward()
        finished(device)

    benchmark.group = (
        f"thickness, {scene}, {size}x{size}, {views} views, {_mode(with_gradient)}, {threads} threads"
    )
    benchmark(run)


PEER = [("PyTorch3D", "cpu")] if find_spec("pytorch3d") is not None else []
FACES_PER_PIXEL = {128: 10, 256: 50}
"""What PyTorch3D is given; beyond these sizes it takes minutes and is left out. Ours has no such limit."""


@pytest.mark.parametrize("backend, device", RUNS + PEER)
@pytest.mark.parametrize("with_gradient", [False, True], ids=["forward", "with gradient"])
@pytest.mark.parametrize("scene, size, views", WORK)
def bench_soft(benchmark, threads, scene, size, views, with_gradient, backend, device) -> None:
    vertices, faces = SCENES[scene]()
    faces = faces.to(device)
    view = cameras(size, views)
    view = ProjectiveCameras(view.matrix.to(device), view.size, view.near_mm, view.far_mm)
    sigma, blur_radius = blur_for(view)
    peer = backend == "PyTorch3D"
    if peer and (size not in FACES_PER_PIXEL or views > 1 or scene == "81920 faces"):
        pytest.skip("takes PyTorch3D minutes")
    leaf = vertices.to(device).requires_grad_(with_gradient)

    def run() -> None:
        settings = (leaf, faces, view, sigma, 1e-3, blur_radius)
        if peer:
            silhouette, depth = soft_images_by_pytorch3d(*settings, FACES_PER_PIXEL[size])
        else:
            silhouette, depth = render_soft(*settings, backend=backend)
        if with_gradient:
            (silhouette.mean() + depth.mean()).backward()
        finished(device)

    benchmark.group = (
        f"soft images, {scene}, {size}x{size}, {views} views, {_mode(with_gradient)}, {threads} threads"
    )
    if peer:
        benchmark.pedantic(run, rounds=1)
    else:
        benchmark(run)


def _mode(with_gradient: bool) -> str:
    return "with gradient" if with_gradient else "forward"
