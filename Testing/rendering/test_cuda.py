"""On a GPU: the images and gradients of the CPU, on torch's stream, and nobody waits. Skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from mri2mesh.geometry.topology import MeshTopology
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.backends import available, name_of
from mri2mesh.rendering.cameras import OrthographicCameras, ring_cameras
from mri2mesh.rendering.drr import render_drr
from mri2mesh.rendering.edges import render_silhouette
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.prepare import prepare
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.soft import blur_for, render_soft
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness
from rendering.scenes import lump, sphere
from rendering.test_drr import lumps, placed
from rendering.test_thickness import c_arm, scene

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")

ANGLES = (-60.0, 5.0, 140.0)


@pytest.fixture(params=["torch", "warp"])
def on_gpus(request) -> str:
    """The back-ends that render on GPUs."""
    if request.param not in available():
        pytest.skip(f"the back-end {request.param} is not installed")
    return request.param


@pytest.fixture
def nobody_waits() -> Iterator[None]:
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


def views(device: str, n: int = 96) -> ProjectiveCameras:
    cameras = ProjectiveCameras.of(
        [c_arm(n, 80.0, primary_angle_deg=angle, seen_from="source") for angle in ANGLES]
    )
    return ProjectiveCameras(cameras.matrix.to(device), cameras.size, cameras.near_mm, cameras.far_mm)


def close_gradients(ours: torch.Tensor, reference: torch.Tensor) -> None:
    scale = float(reference.abs().max())
    torch.testing.assert_close(ours.cpu(), reference, rtol=1e-3, atol=1e-3 * scale)


@pytest.mark.skipif("warp" not in available(), reason="warp is not installed")
def test_warp_is_what_renders_on_a_gpu():
    assert name_of("auto", "cuda") == "warp"


def test_preparing_reports_up_to_the_end():
    fractions = []
    prepare(lambda message, done: fractions.append(done), device="cuda")
    assert name_of("auto", "cuda") == "torch" or (fractions[0], fractions[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("name", ["non-convex", "thin", "touching", "nested"])
def test_thickness_and_its_gradients_are_those_of_the_cpu(on_gpus, name):
    vertices, faces = scene(name)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    images, gradients = [], []
    for device, backend in (("cpu", "torch"), ("cuda", on_gpus)):
        leaf = vertices.to(device).requires_grad_(True)
        image = ray_thickness(leaf, surfaces.to(device), views(device), backend=backend)
        image.square().sum().backward()
        images.append(image.detach().cpu())
        gradients.append(leaf.grad)
    difference = (images[0] - images[1]).abs()
    assert float(difference.median()) < 1e-4 and float(difference.max()) < 1e-3
    close_gradients(gradients[1], gradients[0])


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("gamma", [1e-4, 1e-2])
def test_soft_images_and_their_gradients_are_those_of_the_cpu(on_gpus, perspective, gamma):
    vertices, faces = lump(3)
    images, gradients = [], []
    for device, backend in (("cpu", "torch"), ("cuda", on_gpus)):
        cameras = views(device)
        if not perspective:
            cameras = OrthographicCameras(ring_cameras(3), torch.zeros(3), 0.3, (90, 80)).to(device)
        leaf = vertices.to(device).requires_grad_(True)
        sigma, blur_radius = blur_for(cameras)
        soft = render_soft(leaf, faces.to(device), cameras, sigma, gamma, blur_radius, backend=backend)
        (soft.silhouette.square().sum() + (soft.depth / cameras.far_mm).square().sum()).backward()
        images.append([image.detach().cpu() for image in soft])
        gradients.append(leaf.grad)
    for ours, reference in zip(images[1], images[0], strict=True):
        torch.testing.assert_close(ours, reference, atol=1e-4, rtol=1e-6)
    close_gradients(gradients[1], gradients[0])


def test_depth_and_silhouette_are_those_of_the_cpu(on_gpus):
    vertices, faces = lump(3)
    topology = MeshTopology.from_faces(faces, vertices.shape[1])
    for render, mesh in ((render_hard, faces), (render_silhouette, topology)):
        reference = render(vertices, mesh, views("cpu"), backend="torch")
        ours = render(vertices.cuda(), mesh.to("cuda"), views("cuda"), backend=on_gpus)
        for one, other in zip(ours, reference, strict=True):
            assert float(((one.cpu() - other).abs() > 1e-4).float().mean()) < 1e-4  # rays through an edge


@pytest.mark.parametrize("method", ["siddon", "trilinear"])
def test_line_integrals_and_their_gradients_are_those_of_the_cpu(on_gpus, method):
    shape = (20, 24, 18)
    volume, matrix = lumps(shape), placed(shape, (2.0, 2.2, 1.7))
    images, gradients = [], []
    for device, backend in (("cpu", "torch"), ("cuda", on_gpus)):
        pose = matrix.to(device).requires_grad_(True)
        image = render_drr(volume.to(device), pose, views(device, 40), method=method, backend=backend)
        image.square().mean().backward()
        images.append(image.detach().cpu())
        gradients.append(pose.grad)
    torch.testing.assert_close(images[1], images[0], atol=1e-4, rtol=1e-4)
    close_gradients(gradients[1], gradients[0])


@pytest.mark.skipif("warp" not in available(), reason="warp is not installed")
def test_a_fit_never_waits_for_the_gpu(request):
    """Forward, backward and a step of the optimiser; shape, pose and geometry are fitted at once."""
    vertices, faces = sphere(10.0, 3)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1]).to("cuda")
    start, faces, volume = views("cuda"), faces.cuda(), torch.ones(8, 9, 10, device="cuda")
    shape, matrix = vertices.cuda().requires_grad_(True), start.matrix.clone().requires_grad_(True)
    pose = torch.eye(4, dtype=torch.float64, device="cuda", requires_grad=True)
    parallel = OrthographicCameras(ring_cameras(2), torch.zeros(3), 0.5, (64, 64)).to("cuda")
    centre = torch.zeros(1, 3, device="cuda")
    sigma, blur_radius = blur_for(start)
    optimiser = torch.optim.Adam([shape, matrix, pose], 1e-6)

    def iteration() -> torch.Tensor:
        optimiser.zero_grad()
        cameras = ProjectiveCameras(matrix, start.size, start.near_mm, start.far_mm)
        loss = ray_thickness(shape, surfaces, cameras).square().mean()
        for seen_by in (cameras, parallel.at(centre)):
            soft = render_soft(shape, faces, seen_by, sigma, 1e-3, blur_radius, cull_backfaces=True)
            loss = loss + soft.silhouette.mean() + soft.depth.mean()
        loss = loss + render_hard(shape, faces, cameras).depth.mean()
        for method in ("siddon", "trilinear"):
            loss = loss + render_drr(volume, pose, cameras, method=method).mean()
        loss.backward()
        optimiser.step()
        return loss.detach()

    iteration()  # compiles
    request.getfixturevalue("nobody_waits")
    losses = [iteration() for _ in range(3)]
    torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(torch.stack(losses)).all()


@pytest.mark.skipif("warp" not in available(), reason="warp is not installed")
def test_kernels_run_in_the_order_of_the_stream_torch_uses():
    """Vertices that are ready late, on a stream of their own: who renders too early sees zeros."""
    vertices, faces = sphere(20.0, 4)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1]).to("cuda")
    expected = ray_thickness(vertices.cuda(), surfaces, views("cuda"))
    torch.cuda.synchronize()
    late = torch.zeros_like(vertices, device="cuda")
    source = vertices.cuda()
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(200_000_000)
        late.copy_(source)
        image = ray_thickness(late, surfaces, views("cuda"))
    stream.synchronize()
    torch.testing.assert_close(image, expected, atol=1e-4, rtol=0)


def test_a_surface_around_the_source_is_marked(on_gpus):
    vertices, faces = sphere(900.0, 2)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1]).to("cuda")
    assert torch.isnan(ray_thickness(vertices.cuda(), surfaces, views("cuda"), backend=on_gpus)).all()


def test_one_large_face_is_rendered_as_by_the_cpu(on_gpus):
    """Shared among threads by its rows: no row may be left out or drawn twice."""
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=700,
        pixel_spacing_mm=(0.4, 0.4),
        size=(500, 500),
        primary_angle_deg=31.0,
    )
    vertices, faces = lump(0)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    cameras = ProjectiveCameras.of([camera])
    reference = ray_thickness(8 * vertices, surfaces, cameras, backend="torch").numpy()
    moved = ProjectiveCameras(cameras.matrix.cuda(), cameras.size)
    image = ray_thickness(8 * vertices.cuda(), surfaces.to("cuda"), moved, backend=on_gpus).cpu().numpy()
    np.testing.assert_allclose(image, reference, atol=1e-3)
