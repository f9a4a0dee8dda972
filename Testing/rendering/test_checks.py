"""What a GPU is not asked: bad geometry is marked there, and an iteration asks for no number.

The rules of a GPU are played on the CPU here; `test_cuda` plays them where they hold.
"""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering import checks
from mri2mesh.rendering.backends import available
from mri2mesh.rendering.cameras import OrthographicCameras, ring_cameras
from mri2mesh.rendering.drr import render_drr
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.soft import blur_for, render_soft
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness
from rendering.scenes import lump, sphere


@pytest.fixture
def as_on_a_gpu(monkeypatch) -> None:
    monkeypatch.setattr(checks, "asked_at_once", lambda tensor: False)


@pytest.fixture(params=["torch", "warp"])
def on_gpus(request) -> str:
    """The back-ends that render on GPUs."""
    if request.param not in available():
        pytest.skip(f"the back-end {request.param} is not installed")
    return request.param


def c_arm(angle: float = 20.0, isocentre: float = 700.0, **options) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=isocentre,
        pixel_spacing_mm=(2.0, 2.0),
        size=(24, 22),
        primary_angle_deg=angle,
        **options,
    )


def only_the_second_is_marked(image: torch.Tensor) -> bool:
    """Of images [1, 2, ...]."""
    return bool(torch.isfinite(image[:, 0]).all() and torch.isnan(image[:, 1]).all())


def test_images_of_a_surface_around_the_source_are_marked_and_others_are_as_ever(as_on_a_gpu, on_gpus):
    vertices, faces = sphere(20.0, 2)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    cameras = ProjectiveCameras.of([c_arm(), c_arm(isocentre=10.0)])
    alone = ProjectiveCameras.of([c_arm()])
    thickness = ray_thickness(vertices, surfaces, cameras, backend=on_gpus)
    assert only_the_second_is_marked(thickness)
    torch.testing.assert_close(
        thickness[:, :1], ray_thickness(vertices, surfaces, alone, backend=on_gpus), rtol=0, atol=1e-5
    )
    for image in render_soft(vertices, faces, cameras, 1e-4, 1e-3, 1e-3, backend=on_gpus):
        assert only_the_second_is_marked(image)
    for image in render_hard(vertices, faces, cameras, backend=on_gpus):
        assert only_the_second_is_marked(image)


def test_a_vertex_that_is_not_a_number_marks_the_images_of_its_mesh(as_on_a_gpu, on_gpus):
    vertices = torch.cat([lump(1, seed)[0] for seed in range(2)])
    vertices[1, 5, 1] = torch.nan
    cameras = OrthographicCameras(ring_cameras(3), torch.zeros(3), 1.0, (20, 20))
    soft = render_soft(vertices, lump(1)[1], cameras, 1e-4, 1e-3, 1e-3, backend=on_gpus)
    assert only_the_second_is_marked(soft.silhouette[None]) and only_the_second_is_marked(soft.depth[None])


def test_a_source_inside_the_volume_marks_its_image(as_on_a_gpu, on_gpus):
    cameras = ProjectiveCameras.of([c_arm(), c_arm(isocentre=10.0)])
    pose = torch.eye(4)
    pose[:3, 3] = -20.0
    image = render_drr(torch.ones(40, 40, 40), pose, cameras, backend=on_gpus)
    assert only_the_second_is_marked(image[None])


def test_mirrored_views_without_back_faces_are_marked_beside_others(as_on_a_gpu, on_gpus):
    vertices, faces = lump(1)
    cameras = ProjectiveCameras.of([c_arm(seen_from="detector"), c_arm(seen_from="source")])
    soft = render_soft(vertices, faces, cameras, 1e-4, 1e-3, 1e-3, cull_backfaces=True, backend=on_gpus)
    assert only_the_second_is_marked(soft.silhouette) and only_the_second_is_marked(soft.depth)


def test_marked_images_are_refused_where_they_reach_the_host():
    images = torch.zeros(1, 2, 4, 4)
    checks.require_rendered(images)
    with pytest.raises(InputError, match="geometry"):
        checks.require_rendered(checks.mark(images, torch.tensor([[False, True]])))


WAITING = (
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "unique",
    "repeat_interleave",
    "equal",
    "lift_fresh",
)
"""Operators that bring a number of a GPU to the host, decide a size by one, or bring one to the GPU."""


class NothingWaits(TorchDispatchMode):
    """Fails at the first operator for which the host would wait for a GPU."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        assert not name.startswith(WAITING), f"{name} waits for the device"
        by_mask = name.startswith("index") and any(
            place is not None and place.dtype == torch.bool
            for place in (args[1] if isinstance(args[1], list | tuple) else [])
        )
        assert not by_mask, f"{name} with a mask waits for the device"
        return func(*args, **(kwargs or {}))


@pytest.mark.skipif("warp" not in available(), reason="warp is not installed")
def test_an_iteration_with_gradients_to_shape_pose_and_geometry_asks_for_no_number(as_on_a_gpu):
    vertices, faces = lump(1)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    parallel = OrthographicCameras(ring_cameras(2), torch.zeros(3), 2.0, (20, 20))
    centre = torch.zeros(1, 3)
    start = ProjectiveCameras.of([c_arm(), c_arm(80.0)])
    sigma, blur_radius = blur_for(start)
    volume, pose = torch.ones(5, 6, 7), torch.eye(4, dtype=torch.float64, requires_grad=True)
    shape, matrix = vertices.requires_grad_(True), start.matrix.clone().requires_grad_(True)
    with NothingWaits():
        cameras = ProjectiveCameras(matrix, start.size, start.near_mm, start.far_mm)
        loss = ray_thickness(shape, surfaces, cameras, backend="warp").square().mean()
        for views in (cameras, parallel.at(centre)):
            soft = render_soft(
                shape, faces, views, sigma, 1e-3, blur_radius, cull_backfaces=True, backend="warp"
            )
            loss = loss + soft.silhouette.mean() + soft.depth.mean()
        loss = loss + render_hard(shape, faces, cameras, backend="warp").depth.mean()
        for method in ("siddon", "trilinear"):
            loss = loss + render_drr(volume, pose, cameras, method=method, backend="warp").mean()
        loss.backward()
    for leaf in (shape, matrix, pose):
        assert torch.isfinite(leaf.grad).all() and (leaf.grad != 0).any()
