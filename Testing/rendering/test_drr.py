"""DRRs: boxes and balls with known chords, one back-end against the other, derivatives to the pose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.drr import WATER_PER_MM, attenuation_from_hu, render_drr
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness
from rendering.scenes import box


@pytest.fixture(params=["siddon", "trilinear"])
def method(request) -> str:
    return request.param


def view(primary: float = 30.0, n: int = 40, **options) -> ProjectiveCameras:
    return ProjectiveCameras.of(
        [
            XrayCamera.from_c_arm(
                source_to_detector_mm=1000,
                source_to_isocentre_mm=700,
                pixel_spacing_mm=(100 / n, 120 / n),
                size=(n, n + 3),
                primary_angle_deg=primary,
                secondary_angle_deg=12.0,
                **options,
            )
        ]
    )


def placed(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> torch.Tensor:
    """ijk_to_ras of a grid about the origin with its axes turned and permuted, as in a scanner's."""
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turn = turn @ np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn * spacing
    # A little off: rays through the corners of voxels have no derivative.
    matrix[:3, 3] = [0.31, -0.17, 0.23] - matrix[:3, :3] @ (np.array(shape[::-1]) - 1) / 2
    return torch.from_numpy(matrix)


def lumps(shape: tuple[int, int, int], seed: int = 0) -> torch.Tensor:
    """A smooth, asymmetric volume that falls to zero at its border."""
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    rng = np.random.default_rng(seed)
    volume = np.zeros(shape)
    for _ in range(5):
        a, b, c = rng.uniform(-0.45, 0.45, 3)
        volume += rng.uniform(0.3, 1) * np.exp(-((k - a) ** 2 + (j - b) ** 2 + (i - c) ** 2) / 0.06)
    return torch.from_numpy(volume * ((1 - k**2) * (1 - j**2) * (1 - i**2)) ** 2).float()


def test_a_uniform_volume_is_a_box_of_known_thickness(backend):
    """Voxels as boxes: exactly the thickness of the mesh of the same box."""
    shape, spacing = (9, 12, 7), (3.0, 2.5, 4.0)
    matrix, cameras = placed(shape, spacing), view()
    vertices, faces = box(np.full(3, -0.5), np.array(shape[::-1]) - 0.5)
    corners = vertices.double() @ matrix[:3, :3].T + matrix[:3, 3]
    if np.linalg.det(matrix[:3, :3].numpy()) < 0:
        faces = faces.flip(1)
    expected = ray_thickness(corners, ClosedSurfaces.of(faces, 8), cameras)[0, :, 0]
    image = render_drr(torch.ones(shape), matrix, cameras, method="siddon", backend=backend)
    assert expected.max() > 20
    torch.testing.assert_close(image, expected, atol=1e-5, rtol=1e-6)


def test_linear_samples_of_a_smooth_volume_approach_the_exact_integral(backend):
    shape = (48, 40, 44)
    volume, matrix, cameras = lumps(shape), placed(shape, (1.0, 1.2, 0.9)), view()
    exact = render_drr(volume, matrix, cameras, method="siddon", backend=backend)
    smooth = render_drr(volume, matrix, cameras, method="trilinear", step_mm=0.5, backend=backend)
    assert float(exact.max()) > 5
    assert float((exact - smooth).abs().max()) < 0.02 * float(exact.max())


def test_kernels_give_the_images_and_gradients_of_the_reference(kernels, method):
    shape = (20, 24, 18)
    volume, matrix = lumps(shape), placed(shape, (2.0, 2.2, 1.7))
    results = {}
    for backend in ("torch", kernels):
        pose = matrix.clone().requires_grad_(True)
        image = render_drr(volume, pose, view(), method=method, backend=backend)
        image.square().mean().backward()
        results[backend] = (image.detach(), pose.grad)
    torch.testing.assert_close(results[kernels][0], results["torch"][0], atol=1e-4, rtol=1e-4)
    scale = float(results["torch"][1].abs().max())
    torch.testing.assert_close(results[kernels][1], results["torch"][1], rtol=1e-3, atol=1e-3 * scale)


def test_gradients_to_the_pose_are_those_of_finite_differences(backend, method):
    shape = (16, 18, 14)
    volume, matrix = lumps(shape), placed(shape, (2.5, 2.2, 2.7))

    def loss(change: torch.Tensor) -> torch.Tensor:
        pose = matrix * (1 + change)
        return (
            render_drr(volume, pose, view(n=18), method=method, step_mm=0.7, backend=backend).square().mean()
        )

    zero = torch.zeros(4, 4, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(zero), zero)
    for index in np.ndindex(3, 4):
        change = torch.zeros(4, 4, dtype=torch.float64)
        change[index] = 1e-7
        slope = float(loss(change) - loss(-change)) / 2e-7
        assert float(gradient[index]) == pytest.approx(
            slope, rel=1e-3, abs=1e-3 * float(gradient.abs().max())
        )


def test_gradients_to_the_camera_are_those_to_the_pose_the_other_way_round(backend, method):
    """Moving source and detector by a shift is moving the volume by its opposite."""
    shape = (16, 18, 14)
    volume, matrix = lumps(shape), placed(shape, (2.5, 2.2, 2.7))
    slopes = []
    for of_camera in (True, False):
        shift = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        cameras, pose = view(n=18), matrix.clone()
        if of_camera:
            moved = cameras.matrix.clone()
            moved[0, :, 3] = cameras.matrix[0, :, 3] - cameras.matrix[0, :, :3] @ shift
            cameras = ProjectiveCameras(moved, cameras.size)
        else:
            pose[:3, 3] = matrix[:3, 3] - shift
        image = render_drr(volume, pose, cameras, method=method, backend=backend)
        slopes.append(torch.autograd.grad(image.square().mean(), shift)[0])
    torch.testing.assert_close(*slopes, rtol=1e-6, atol=1e-9)


def test_a_displaced_volume_finds_its_pose_again(backend):
    """Two views, so that the depth is seen as well."""
    shape = (32, 32, 32)
    volume, matrix = lumps(shape), placed(shape, (2.0, 2.0, 2.0))
    cameras = ProjectiveCameras(torch.cat([view(0.0).matrix, view(80.0).matrix]), (40, 43))
    target = render_drr(volume, matrix, cameras, step_mm=2.0, backend=backend)
    shift = torch.tensor([4.0, -3.0, 5.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([shift], 0.4)
    for _ in range(50):
        optimiser.zero_grad()
        moved = matrix.clone()
        moved[:3, 3] = matrix[:3, 3] + shift
        image = render_drr(volume, moved, cameras, step_mm=2.0, backend=backend)
        (image - target).square().mean().backward()
        optimiser.step()
    assert float(shift.detach().norm()) < 0.3


def test_ct_numbers_become_attenuation_and_air_none():
    hu = torch.tensor([-2000.0, -1000.0, 0.0, 1000.0])
    assert attenuation_from_hu(hu).tolist() == pytest.approx([0, 0, WATER_PER_MM, 2 * WATER_PER_MM])


def test_a_source_inside_the_volume_and_a_step_of_nothing_are_refused():
    volume, matrix = torch.ones(10, 10, 10), placed((10, 10, 10), (200.0, 200.0, 200.0))
    with pytest.raises(InputError, match="source is inside"):
        render_drr(volume, matrix, view())
    with pytest.raises(InputError, match="step"):
        render_drr(volume, placed((10, 10, 10), (2.0, 2.0, 2.0)), view(), step_mm=0.0)
