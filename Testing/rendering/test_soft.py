"""Soft silhouettes and depth: analytic shapes, the definition, and gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import torch
import trimesh

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.cameras import AXIS_VIEW_NAMES, OrthographicCameras, axis_views, ring_cameras
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.soft import blur_for, render_soft
from rendering.scenes import lump, six_views, soft_images_by_definition, sphere


def small_views(size=(15, 12), n=2) -> OrthographicCameras:
    centre = torch.tensor([0.31, -0.17, 0.23], dtype=torch.float64)
    return OrthographicCameras(ring_cameras(n, (1.0, 2.0, 3.0)), centre, 2.1, size)


@pytest.mark.parametrize("gamma", [1e-3, 0.03, 1.0])
@pytest.mark.parametrize("subdivisions", [0, 2])
def test_images_and_gradients_equal_those_of_the_definition(render, gamma, subdivisions):
    vertices, faces = lump(subdivisions)
    cameras = small_views()
    sigma, blur_radius = blur_for(cameras, 1.3)
    vertices.requires_grad_(True)
    soft = render(vertices, faces, cameras, sigma, gamma, blur_radius)
    silhouette, depth = soft_images_by_definition(vertices[0], faces, cameras, sigma, gamma, blur_radius)
    torch.testing.assert_close(soft.silhouette[0], silhouette, atol=1e-9, rtol=0)
    torch.testing.assert_close(soft.depth[0], depth, atol=1e-7, rtol=0)

    upstream = torch.randn(
        2, *silhouette.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    (ours,) = torch.autograd.grad(
        (soft.silhouette[0] * upstream[0] + soft.depth[0] * upstream[1]).sum(), vertices
    )
    (theirs,) = torch.autograd.grad((silhouette * upstream[0] + depth * upstream[1]).sum(), vertices)
    torch.testing.assert_close(ours, theirs, atol=1e-6 * float(theirs.abs().max()), rtol=1e-6)


def test_gradient_agrees_with_finite_differences(render):
    vertices, faces = lump(0)
    cameras = small_views((9, 8), 1)
    sigma, _ = blur_for(cameras, 1.5)
    reach = 40 * sigma  # so wide that no pair appears or disappears with a visible step

    def images(points):
        soft = render(points, faces, cameras, sigma, 0.05, reach)
        return soft.silhouette, soft.depth

    assert torch.autograd.gradcheck(
        images, vertices.requires_grad_(True), eps=1e-6, atol=1e-4, rtol=1e-4, fast_mode=True
    )


def test_float32_agrees_with_float64(render):
    vertices, faces = lump(2)
    cameras = six_views(1.0, (32, 32))
    sigma, blur_radius = blur_for(cameras)
    exact = render(vertices, faces, cameras, sigma, 1e-3, blur_radius)
    single = render(vertices.float(), faces, cameras, sigma, 1e-3, blur_radius)
    assert single.silhouette.dtype == torch.float32
    assert (single.silhouette - exact.silhouette).abs().max() < 1e-4
    assert (single.depth - exact.depth).abs().quantile(0.999) < 1e-2


def test_silhouette_area_of_a_sphere_is_that_of_its_disc(render):
    vertices, faces = sphere(20.0, 4)
    cameras = six_views(0.8)
    sigma, blur_radius = blur_for(cameras, 0.5)
    area = render(vertices, faces, cameras, sigma, 1e-4, blur_radius).silhouette.sum((-2, -1)) * 0.8**2
    torch.testing.assert_close(area[0], torch.full((6,), math.pi * 400), rtol=0.02, atol=0)


def test_soft_depth_of_a_sphere_becomes_the_true_depth_as_gamma_falls(render):
    vertices, faces = sphere(20.0, 4, torch.float64)
    cameras = six_views(1.0, (48, 48))
    sigma, blur_radius = blur_for(cameras, 0.1)
    r, c = torch.meshgrid(torch.arange(48) - 23.5, torch.arange(48) - 23.5, indexing="ij")
    inner = r**2 + c**2 < 15**2
    true = -torch.sqrt((400 - r**2 - c**2).clamp(min=0)).double()
    errors = []
    for gamma in (0.3, 0.03, 1e-3):
        depth = render(vertices, faces, cameras, sigma, gamma, blur_radius).depth[0]
        errors.append(float((depth - true)[:, inner].abs().max()))
    assert errors[0] > 1 > errors[1] > errors[2]
    assert errors[2] < 0.1


def test_soft_depth_of_a_tilted_plane_is_exact(render):
    corners = torch.tensor([[-60.0, -60], [60, -60], [60, 60], [-60, 60]], dtype=torch.float64)
    vertices = torch.stack([corners[:, 0], 0.2 * corners[:, 0] + 0.1 * corners[:, 1] + 2, corners[:, 1]], 1)[
        None
    ]
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    cameras = OrthographicCameras(axis_views()[2:3], torch.zeros(3), 1.0, (20, 30))  # from the front
    depth = render(vertices, faces, cameras, 1e-6, 1e-2, 1e-6).depth[0, 0]
    r, c = torch.meshgrid(torch.arange(20) - 9.5, torch.arange(30) - 14.5, indexing="ij")
    expected = -(0.2 * -c + 0.1 * -r + 2)  # columns run to the patient's left, rows downwards
    torch.testing.assert_close(depth, expected.double(), atol=1e-5, rtol=0)


def test_silhouette_becomes_the_hard_one_as_sigma_falls(render):
    vertices, faces = lump(2)
    cameras = six_views(0.7, (40, 40))
    hard = render_hard(vertices, faces, cameras).silhouette
    differences = []
    for width in (2.0, 0.5, 0.02):
        sigma, blur_radius = blur_for(cameras, width)
        soft = render(vertices, faces, cameras, sigma, 1e-3, blur_radius).silhouette
        differences.append(float((soft - hard).abs().mean()))
    assert differences[0] > differences[1] > differences[2]
    assert differences[2] < 2e-3


def test_moving_towards_where_the_silhouette_should_be_lowers_the_loss(render):
    vertices, faces = sphere(10.0, 2)
    cameras = OrthographicCameras(axis_views()[2:3], torch.zeros(3), 1.0, (40, 40))
    sigma, blur_radius = blur_for(cameras)
    target = render_hard(vertices + torch.tensor([3.0, 0, 0]), faces, cameras).silhouette
    shift = torch.zeros(3, requires_grad=True)
    silhouette = render(vertices + shift, faces, cameras, sigma, 1e-2, blur_radius).silhouette
    (silhouette - target).square().mean().backward()
    assert shift.grad[0] < 0  # descent moves it to +x, the patient's right
    assert shift.grad[1:].abs().max() < 0.05 * shift.grad[0].abs()


def test_depth_follows_a_shift_along_the_view(render):
    vertices, faces = sphere(10.0, 2, torch.float64)
    cameras = OrthographicCameras(axis_views()[2:3], torch.zeros(3), 1.0, (40, 40))
    sigma, blur_radius = blur_for(cameras)
    shift = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    depth = render(vertices + shift, faces, cameras, sigma, 1e-4, blur_radius).depth
    depth[0, 0, 16:24, 16:24].mean().backward()
    torch.testing.assert_close(shift.grad[1].item(), -1.0, atol=1e-6, rtol=0)  # anterior is nearer


def test_an_asymmetric_object_is_not_mirrored(render):
    # An L of two boxes seen from the front: upright at the patient's right, foot towards the left, below.

    upright = trimesh.creation.box(bounds=[[4, -1, -10], [8, 1, 10]])
    foot = trimesh.creation.box(bounds=[[-8, -1, -10], [4, 1, -6]])
    mesh = trimesh.util.concatenate([upright, foot])
    vertices, faces = torch.tensor(mesh.vertices, dtype=torch.float32)[None], torch.tensor(mesh.faces)
    cameras = six_views(1.0, (32, 32))
    sigma, blur_radius = blur_for(cameras, 0.5)
    soft = render(vertices, faces, cameras, sigma, 1e-3, blur_radius).silhouette[0]
    front, back = (soft[AXIS_VIEW_NAMES.index(name)] for name in ("anterior", "posterior"))
    middle = 15.5
    row, column = int(middle + 8), int(middle - 6)  # the foot's height; the upright's place (right is left)
    assert front[int(middle - 8), column] > 0.9  # top of the upright
    assert front[int(middle - 8), int(middle + 6)] < 0.01
    assert front[row, int(middle + 6)] > 0.9  # foot at the patient's left: right half of the image, low
    torch.testing.assert_close(back, front.flip(1), atol=1e-5, rtol=0)


def test_a_batch_equals_a_loop_with_a_centre_for_each_mesh(render):
    vertices = torch.cat([lump(1, seed)[0] for seed in range(3)])
    faces = lump(1)[1]
    centres = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    cameras = six_views(1.0, (24, 20))
    sigma, blur_radius = blur_for(cameras)
    together = render(vertices, faces, cameras.at(centres), sigma, 1e-2, blur_radius)
    for b in range(3):
        alone = render(vertices[b : b + 1], faces, cameras.at(centres[b]), sigma, 1e-2, blur_radius)
        torch.testing.assert_close(together.silhouette[b], alone.silhouette[0])
        torch.testing.assert_close(together.depth[b], alone.depth[0])


def test_culling_back_faces_keeps_front_depth_and_the_inner_silhouette(render):
    vertices, faces = sphere(10.0, 3, torch.float64)
    cameras = six_views(1.0, (32, 32))
    sigma, blur_radius = blur_for(cameras, 0.5)
    both, front = (
        render(vertices, faces, cameras, sigma, 1e-3, blur_radius, cull_backfaces=cull)
        for cull in (False, True)
    )
    inner = render_hard(vertices * 0.9, faces, cameras).silhouette.bool()
    assert (both.depth - front.depth)[inner].abs().max() < 1e-3
    # On an edge between two faces each is on by a half: 1 - 1/4 with one layer, 1 - 1/16 with two.
    assert front.silhouette[inner].min() > 0.74 and both.silhouette[inner].min() > 0.93
    # Turned inside out, what was in front is culled: the far side is seen.
    turned = render(vertices, faces.flip(1), cameras, sigma, 1e-3, blur_radius, cull_backfaces=True)
    assert (turned.depth[inner] > 3).all()


def test_degenerate_faces_and_faces_outside_the_image_give_finite_gradients(render):
    vertices, faces = lump(1)
    vertices = torch.cat([vertices, vertices[:, :1], vertices[:, :1] + 500], 1).requires_grad_(True)
    v = vertices.shape[1]
    faces = torch.cat([faces, torch.tensor([[0, v - 2, 1], [3, 3, 4], [0, 1, v - 1], [v - 1, v - 1, v - 1]])])
    cameras = six_views(1.0, (16, 16))
    soft = render(vertices, faces, cameras, *[1e-3, 1e-3, 1e-2])
    (soft.silhouette.sum() + soft.depth.sum()).backward()
    assert torch.isfinite(soft.depth).all() and torch.isfinite(vertices.grad).all()


def test_nothing_in_view_is_background_and_has_no_gradient(render):
    vertices, faces = lump(0)
    vertices = (vertices + 1000).requires_grad_(True)
    cameras = six_views(1.0, (8, 8))
    soft = render(vertices, faces, cameras, 1e-3, 1e-3, 1e-2, background_depth=7.0)
    (soft.silhouette.sum() + soft.depth.sum()).backward()
    assert (soft.silhouette == 0).all() and torch.allclose(soft.depth, torch.tensor(7.0, dtype=torch.float64))
    assert (vertices.grad == 0).all()


def test_a_vertex_that_is_not_finite_is_refused(render):
    vertices, faces = lump(0)
    vertices[0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="finite"):
        render(vertices, faces, six_views(), 1e-3, 1e-3, 1e-2)


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("gamma", [1e-4, 1e-2])
def test_kernels_give_the_images_and_gradients_of_the_reference(kernels, perspective, gamma):
    vertices, faces = lump(3, dtype=torch.float32)
    if perspective:
        cameras = ProjectiveCameras.of(
            [
                XrayCamera.from_c_arm(
                    source_to_detector_mm=1000,
                    source_to_isocentre_mm=700,
                    pixel_spacing_mm=(0.4, 0.5),
                    size=(90, 80),
                    primary_angle_deg=angle,
                    principal_point_px=(30.0, 50.0),
                )
                for angle in (-40.0, 20.0)
            ]
        )
    else:
        cameras = six_views(0.3, (90, 80))
    sigma, blur_radius = blur_for(cameras)
    images, gradients = {}, {}
    for backend in ("torch", kernels):
        leaf = vertices.double().requires_grad_(True)
        soft = render_soft(leaf, faces, cameras, sigma, gamma, blur_radius, backend=backend)
        (soft.silhouette.square().sum() + (soft.depth / cameras.far_mm).square().sum()).backward()
        images[backend], gradients[backend] = soft, leaf.grad
    for one, other in zip(*images.values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-6)
    scale = float(gradients["torch"].abs().max())
    torch.testing.assert_close(gradients[kernels], gradients["torch"], rtol=1e-3, atol=1e-3 * scale)


def test_a_mirrored_view_shows_the_mirrored_image_also_without_back_faces(render):
    vertices, faces = lump(2, dtype=torch.float32)
    settings = {
        "source_to_detector_mm": 1000,
        "source_to_isocentre_mm": 700,
        "pixel_spacing_mm": (0.8, 0.8),
        "size": (60, 50),
    }
    images = []
    for side in ("detector", "source"):
        cameras = ProjectiveCameras.of([XrayCamera.from_c_arm(**settings, seen_from=side)])
        sigma, blur_radius = blur_for(cameras)
        images.append(render(vertices, faces, cameras, sigma, 1e-3, blur_radius, cull_backfaces=True))
    for one, other in zip(*images, strict=True):
        torch.testing.assert_close(one, other.flip(-1), atol=1e-3, rtol=1e-4)
