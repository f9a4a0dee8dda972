"""Ray thickness: known chords and volumes, gradients against finite differences, one back-end against the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.backends import choose
from mri2mesh.rendering.cameras import OrthographicCameras, axis_views, ring_cameras
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness, thickness_tangents, transmission
from rendering.scenes import box, lump, sphere


def c_arm(n: int = 64, width_mm: float = 120.0, **options) -> XrayCamera:
    settings = {"primary_angle_deg": 25.0, "secondary_angle_deg": 10.0, **options}
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=700,
        pixel_spacing_mm=(width_mm / n, 1.25 * width_mm / n),
        size=(n, n + 6),
        principal_point_px=(n / 2 + 3.3, n / 2 - 2.1),
        **settings,
    )


def chords(camera: XrayCamera, centre: np.ndarray, radius: float) -> np.ndarray:
    """[H, W] length of each ray inside a ball."""
    rows, columns = np.meshgrid(*(np.arange(n) for n in camera.size), indexing="ij")
    ray = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(camera.matrix[:, :3]).T
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    offset = centre - camera.source_ras_mm
    along = ray @ offset
    return 2 * np.sqrt(np.clip(radius**2 - (offset @ offset - along**2), 0, None))


@pytest.mark.parametrize("seen_from", ["detector", "source"])
def test_a_ball_has_the_chords_of_a_ball_from_either_side_of_the_image(backend, seen_from):
    vertices, faces = sphere(20.0, 5)
    centre = np.array([6.0, -4.0, 3.0])
    camera = c_arm(seen_from=seen_from)
    image = ray_thickness(
        vertices + torch.tensor(centre).float(),
        ClosedSurfaces.of(faces, vertices.shape[1]),
        ProjectiveCameras.of([camera]),
        backend=backend,
    )[0, 0, 0].numpy()
    expected = chords(camera, centre, 20.0)
    deep = expected > 8  # towards the rim the facets of the polyhedron show
    assert np.abs(image - expected)[deep].max() < 0.15
    assert (image[expected == 0] == 0).all() and image.min() > -1e-4


def test_the_integral_over_a_parallel_detector_is_the_volume(backend):
    vertices, faces = lump(3, dtype=torch.float32)
    corners = vertices[0].double()[faces]
    volume = float(torch.linalg.det(corners).sum() / 6)
    cameras = OrthographicCameras(ring_cameras(4, (1.0, 2.0, 3.0)), torch.zeros(3), 0.1, (420, 420))
    image = ray_thickness(vertices, ClosedSurfaces.of(faces, vertices.shape[1]), cameras, backend=backend)
    integral = image.double().sum((-1, -2)).squeeze() * 0.1**2
    np.testing.assert_allclose(integral, volume, rtol=1e-4)


def test_a_box_on_the_pixel_grid_loses_no_ray_and_counts_none_twice(backend):
    """Every ray goes through vertices or edges: left and top edges belong to the box, right and bottom ones do not."""
    vertices, faces = box(np.zeros(3), np.array([4.0, 6.0, 8.0]))
    cameras = OrthographicCameras(axis_views()[2:3], torch.tensor([2.0, 3.0, 4.0]), 1.0, (13, 9))
    image = ray_thickness(vertices, ClosedSurfaces.of(faces, 8), cameras, backend=backend)[0, 0, 0]
    assert set(image.unique().tolist()) == {0.0, 6.0}
    assert int((image > 0).sum()) == 4 * 8


def test_structures_are_distinguished_and_a_truncated_field_changes_nothing_inside_it(backend):
    inner, faces = sphere(8.0, 3)
    outer, _ = sphere(20.0, 3)
    vertices = torch.cat([inner + torch.tensor([5.0, 0, 0]), outer], 1)
    n = inner.shape[1]
    label = torch.tensor([0] * len(faces) + [1] * len(faces))
    surfaces = ClosedSurfaces.of(torch.cat([faces, faces + n]), 2 * n, label)
    whole = c_arm()
    both = ray_thickness(vertices, surfaces, ProjectiveCameras.of([whole]), backend=backend)[0, 0]
    alone = ray_thickness(outer, ClosedSurfaces.of(faces, n), ProjectiveCameras.of([whole]), backend=backend)[
        0, 0, 0
    ]
    torch.testing.assert_close(both[1], alone, atol=1e-4, rtol=0)
    assert both[0].max() < 16.01 and (both[0] > 0).any()

    column, row = whole.principal_point_px
    part = XrayCamera(
        whole.source_ras_mm, whole.axes_ras, 1000, whole.pixel_spacing_mm, (column - 20, row - 30), (20, 15)
    )
    cut = ray_thickness(vertices, surfaces, ProjectiveCameras.of([part]), backend=backend)[0, 0]
    torch.testing.assert_close(cut, both[:, 30:50, 20:35], atol=1e-4, rtol=0)


@pytest.mark.parametrize("perspective", [True, False])
def test_gradients_to_vertices_are_those_of_finite_differences(backend, perspective):
    vertices, faces = lump(0)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    cameras = (
        ProjectiveCameras.of([c_arm(24, 40.0)])
        if perspective
        else OrthographicCameras(ring_cameras(2, (1.0, 2.0, 3.0)), torch.zeros(3), 1.37, (22, 26))
    )
    # Through the sum of squares of interior rays only: a ray that a step takes across an edge has no derivative there.
    start = ray_thickness(vertices, surfaces, cameras, backend=backend)

    def loss(moved: torch.Tensor) -> torch.Tensor:
        return (ray_thickness(moved, surfaces, cameras, backend=backend) * (start > 2)).square().sum()

    leaf = vertices.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    step = 1e-6
    for vertex in range(0, vertices.shape[1], 3):
        for axis in range(3):
            change = torch.zeros_like(vertices)
            change[0, vertex, axis] = step
            slope = (loss(vertices + change) - loss(vertices - change)) / (2 * step)
            assert float(gradient[0, vertex, axis]) == pytest.approx(float(slope), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("perspective", [True, False])
def test_the_jacobian_holds_in_each_column_what_the_image_gains_along_that_direction(backend, perspective):
    vertices, faces = lump(2, dtype=torch.float64)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    if perspective:
        cameras = ProjectiveCameras.of([c_arm(32), c_arm(32, seen_from="source", primary_angle_deg=100.0)])
    else:
        cameras = OrthographicCameras(axis_views()[[0, 3]], torch.zeros(3), 2.0, (32, 38))
    generator = torch.Generator().manual_seed(1)
    directions = torch.randn(1, 4, *vertices.shape[1:], generator=generator, dtype=torch.float64)
    jacobian = thickness_tangents(vertices, directions, surfaces, cameras, backend=backend)
    step = 1e-6
    for column in range(4):
        moved = [
            ray_thickness(vertices + side * step * directions[:, column], surfaces, cameras, backend=backend)
            for side in (-1, 1)
        ]
        expected = (moved[1] - moved[0]) / (2 * step)
        error = (jacobian[..., column] - expected).abs()
        # a ray that passes from one face to its neighbour within the step sees a kink
        assert error.median() < 1e-5 and (error < 1e-3 * (1 + expected.abs())).double().mean() > 0.999


def test_backward_and_forward_derivatives_agree(backend):
    vertices, faces = lump(2, dtype=torch.float64)
    surfaces, cameras = ClosedSurfaces.of(faces, vertices.shape[1]), ProjectiveCameras.of([c_arm(40)])
    generator = torch.Generator().manual_seed(2)
    directions = torch.randn(1, 3, *vertices.shape[1:], generator=generator, dtype=torch.float64)
    weight = torch.randn(1, 1, 1, *cameras.size, generator=generator, dtype=torch.float64)
    leaf = vertices.clone().requires_grad_()
    (ray_thickness(leaf, surfaces, cameras, backend=backend) * weight).sum().backward()
    backward = (leaf.grad[:, None] * directions).sum((0, 2, 3))
    jacobian = thickness_tangents(vertices, directions, surfaces, cameras, backend=backend)
    forward = (jacobian.double() * weight[..., None]).sum((0, 1, 2, 3, 4))
    assert torch.allclose(forward, backward, rtol=1e-4)


def test_gradients_reach_the_pose_and_the_geometry_of_the_camera(backend):
    vertices, faces = lump(1)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    matrix = torch.from_numpy(c_arm(24, 40.0).matrix)[None]
    weight = (
        ray_thickness(vertices, surfaces, ProjectiveCameras(matrix, (24, 30)), backend=backend) > 2
    ).double()

    def loss(scale: torch.Tensor) -> torch.Tensor:
        """Of relative changes of the twelve numbers of the matrix."""
        return (
            (
                ray_thickness(
                    vertices, surfaces, ProjectiveCameras(matrix * scale, (24, 30)), backend=backend
                )
                * weight
            )
            .square()
            .mean()
        )

    one = torch.ones(1, 3, 4, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(one), one)
    for index in np.ndindex(3, 4):
        change = torch.zeros(1, 3, 4, dtype=torch.float64)
        change[0][index] = 1e-8
        slope = (loss(one.detach() + change) - loss(one.detach() - change)) / 2e-8
        assert float(gradient[0][index]) == pytest.approx(
            float(slope), rel=2e-3, abs=1e-3 * float(gradient.abs().max())
        )


def scene(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    if name == "non-convex":
        return lump(3, dtype=torch.float32)
    if name == "thin":
        return box(np.array([-20.0, -0.005, -15.0]), np.array([20.0, 0.005, 15.0]))
    first, faces = box(np.array([-20.0, -10, -10]), np.array([0.0, 10, 10]))
    second, _ = box(*((np.array([0.0, -10, -10]), np.array([20.0, 10, 10])) if name == "touching" else (
        np.array([-15.0, -5, -5]), np.array([-5.0, 5, 5]))))  # fmt: skip
    return torch.cat([first, second], 1), torch.cat([faces, faces + 8])


@pytest.mark.parametrize("name", ["non-convex", "thin", "touching", "nested"])
def test_kernels_give_the_images_and_gradients_of_the_reference(kernels, name):
    vertices, faces = scene(name)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    cameras = ProjectiveCameras.of(
        [c_arm(96, 80.0, primary_angle_deg=angle) for angle in (-60.0, 5.0, 140.0)]
    )
    images, gradients = {}, {}
    for backend in ("torch", kernels):
        leaf = vertices.clone().requires_grad_(True)
        images[backend] = ray_thickness(leaf, surfaces, cameras, backend=backend)
        images[backend].square().sum().backward()
        gradients[backend] = leaf.grad
    difference = (images["torch"] - images[kernels]).abs().detach()
    assert float(difference.median()) < 1e-4 and float(difference.max()) < 1e-3
    scale = float(gradients["torch"].abs().max())
    torch.testing.assert_close(gradients[kernels], gradients["torch"], rtol=1e-3, atol=1e-3 * scale)


def test_degenerate_and_duplicated_faces_change_nothing(backend):
    vertices, faces = sphere(15.0, 2)
    cameras = ProjectiveCameras.of([c_arm()])
    plain = ray_thickness(vertices, ClosedSurfaces.of(faces, vertices.shape[1]), cameras, backend=backend)
    there_and_back = torch.cat([faces, faces[:40], faces[:40].flip(1), torch.tensor([[3, 3, 7], [7, 3, 3]])])
    padded = ClosedSurfaces.of(there_and_back, vertices.shape[1])
    torch.testing.assert_close(
        ray_thickness(vertices, padded, cameras, backend=backend), plain, atol=1e-4, rtol=0
    )


def test_an_open_surface_is_refused_with_the_number_of_its_open_edges():
    vertices, faces = sphere(15.0, 1)
    with pytest.raises(InputError, match="3 open edges in surface 0"):
        ClosedSurfaces.of(faces[1:], vertices.shape[1])
    turned = faces.clone()
    turned[0] = turned[0].flip(0)
    with pytest.raises(InputError, match="open"):
        ClosedSurfaces.of(turned, vertices.shape[1])


def test_a_surface_around_the_source_is_refused(backend):
    vertices, faces = sphere(900.0, 2)
    with pytest.raises(InputError, match="behind the X-ray source"):
        ray_thickness(
            vertices,
            ClosedSurfaces.of(faces, vertices.shape[1]),
            ProjectiveCameras.of([c_arm()]),
            backend=backend,
        )


def test_the_beam_falls_off_exponentially_with_every_structure():
    thickness = torch.tensor([10.0, 4.0]).view(1, 1, 2, 1, 1)
    assert float(transmission(thickness, [0.02, 0.05])) == pytest.approx(np.exp(-0.4))


def test_an_unknown_or_missing_back_end_is_one_clear_line():
    with pytest.raises(InputError, match="no rendering back-end"):
        choose("opengl", "cpu")
