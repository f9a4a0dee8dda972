"""Anti-aliased silhouettes: areas that are known, and derivatives that are those of the area."""

from __future__ import annotations

import math

import pytest
import torch

from mri2mesh.geometry.topology import MeshTopology
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.cameras import OrthographicCameras, ring_cameras
from mri2mesh.rendering.edges import render_silhouette
from mri2mesh.rendering.projective import ProjectiveCameras
from rendering.scenes import box, lump, sphere


def parallel(n: int = 64, pixel: float = 1.0, views: int = 1, **options) -> OrthographicCameras:
    return OrthographicCameras(
        ring_cameras(views), torch.tensor([0.31, 0.17, -0.23]), pixel, (n, n + 6), **options
    )


def topology_of(vertices: torch.Tensor, faces: torch.Tensor) -> MeshTopology:
    return MeshTopology.from_faces(faces, vertices.shape[1])


def test_the_sum_is_the_area_far_closer_than_counting_pixels(backend):
    vertices, faces = sphere(20.0, 4, torch.float64)
    errors = []
    for shift in range(8):
        moved = vertices + torch.tensor([0.13, 0.0, 0.29]) * shift
        image = render_silhouette(moved, topology_of(vertices, faces), parallel(), backend=backend)
        errors.append(float(image.sum()) / (math.pi * 400) - 1)
    assert max(map(abs, errors)) < 0.004
    assert float(image.min()) > -0.01 and float(image.max()) < 1.01


def test_an_upright_edge_covers_its_pixels_by_exactly_its_share(backend):
    low, high = torch.tensor([-10.0, -5, -10]), torch.tensor([10.3, 5, 10])
    vertices, faces = box(low.numpy(), high.numpy())
    cameras = OrthographicCameras(ring_cameras(1), torch.zeros(3), 1.0, (41, 41))
    row = render_silhouette(vertices, topology_of(vertices, faces), cameras, backend=backend)[0, 0, 20]
    # Seen from the front +x is on the left: the side at x = 10.3 is at column 20 - 10.3, its pixel from 9.5 to 10.5.
    assert float(row[9]) == 0 and float(row[11]) == 1
    assert float(row[10]) == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize("perspective", [True, False])
def test_growing_changes_the_area_as_it_should(backend, perspective):
    """d area / d radius of a ball is 2 pi r in a parallel view."""
    vertices, faces = sphere(20.0, 4, torch.float64)
    if perspective:
        cameras = ProjectiveCameras.of(
            [
                XrayCamera.from_c_arm(
                    source_to_detector_mm=1000,
                    source_to_isocentre_mm=700,
                    pixel_spacing_mm=(1.0, 1.0),
                    size=(90, 90),
                    primary_angle_deg=30,
                )
            ]
        )
        near = 20 / 700  # sine of the cone's half angle
        radius = lambda r: 1000 * (r / 700) / math.sqrt(1 - (r / 700) ** 2)  # noqa: E731
        expected = (math.pi * radius(20.001) ** 2 - math.pi * radius(19.999) ** 2) / 0.002
        assert near < 0.03
    else:
        cameras, expected = parallel(), 2 * math.pi * 20
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    area = render_silhouette(vertices * scale, topology_of(vertices, faces), cameras, backend=backend).sum()
    (gradient,) = torch.autograd.grad(area, scale)
    assert float(gradient) / 20 == pytest.approx(expected, rel=0.02)


def test_gradients_are_those_of_finite_differences_where_no_centre_is_crossed(backend):
    vertices, faces = lump(1)
    topology, cameras = topology_of(vertices, faces), parallel(40, 0.8, views=2)
    generator = torch.Generator().manual_seed(3)
    weight = torch.rand(1, 2, 40, 46, generator=generator, dtype=torch.float64)

    def loss(points: torch.Tensor) -> torch.Tensor:
        return (render_silhouette(points, topology, cameras, backend=backend) * weight).sum()

    leaf = vertices.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    assert float(gradient.abs().max()) > 0.1
    for vertex in range(0, vertices.shape[1], 3):
        for axis in range(3):
            change = torch.zeros_like(vertices)
            change[0, vertex, axis] = 1e-7
            slope = (loss(vertices + change) - loss(vertices - change)) / 2e-7
            assert float(gradient[0, vertex, axis]) == pytest.approx(float(slope), rel=1e-3, abs=1e-4)


def test_a_contour_hidden_inside_the_silhouette_has_no_say(backend):
    outer, faces = sphere(20.0, 3, torch.float64)
    inner, _ = sphere(6.0, 3, torch.float64)
    n = outer.shape[1]
    vertices = torch.cat([outer, inner], 1).requires_grad_(True)
    topology = MeshTopology.from_faces(torch.cat([faces, faces + n]), 2 * n)
    render_silhouette(vertices, topology, parallel(), backend=backend).square().sum().backward()
    assert float(vertices.grad[0, :n].abs().max()) > 0.1
    assert (vertices.grad[0, n:] == 0).all()


def test_a_shifted_ball_finds_its_place_again(backend):
    vertices, faces = sphere(15.0, 3)
    topology, cameras = topology_of(vertices, faces), parallel(48, 1.0, views=3)
    target = render_silhouette(vertices, topology, cameras, backend=backend)
    shift = torch.tensor([3.0, -4.0, 2.5], requires_grad=True)
    optimiser = torch.optim.Adam([shift], 0.3)
    for _ in range(60):
        optimiser.zero_grad()
        image = render_silhouette(vertices + shift, topology, cameras, backend=backend)
        (image - target).square().sum().backward()
        optimiser.step()
    assert float(shift.detach().norm()) < 0.1
