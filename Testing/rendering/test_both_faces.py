"""Front and back of structures against analytic shapes, compiled and in plain torch."""

from __future__ import annotations

import pytest
import torch
import trimesh

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.backends import available
from mri2mesh.rendering.both_faces import render_both_faces
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness

BACKENDS = [name for name in ("torch", "numba") if name in available()]
CAMERA = XrayCamera.from_c_arm(
    source_to_detector_mm=1000.0,
    source_to_isocentre_mm=800.0,
    pixel_spacing_mm=(2.5, 2.5),
    size=(30, 36),
    primary_angle_deg=180.0,
)


def ball(
    radius: float, centre: tuple[float, float, float], detail: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    mesh = trimesh.creation.icosphere(detail, radius)
    return torch.tensor(mesh.vertices + centre, dtype=torch.float64), torch.tensor(mesh.faces)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ray_enters_and_leaves_a_sphere_where_geometry_says(backend: str):
    vertices, faces = ball(25.0, (0.0, 0.0, 0.0), 3)
    seen = render_both_faces(
        vertices[None],
        faces,
        torch.zeros(len(faces), dtype=torch.long),
        1,
        ProjectiveCameras.of([CAMERA]),
        backend=backend,
    )
    cameras = ProjectiveCameras.of([CAMERA])
    # A unit of depth along each ray, from the inverse of the camera's matrix.
    row, column = torch.meshgrid(torch.arange(30.0), torch.arange(36.0), indexing="ij")
    pixel = torch.stack([column, row, torch.ones_like(row)], -1).double()
    ray = pixel @ torch.linalg.inv(cameras.matrix[0, :, :3]).T
    source = torch.from_numpy(CAMERA.source_ras_mm)
    a, b, c = (ray * ray).sum(-1), ray @ source, source @ source - 25.0**2
    root = (b * b - a * c).clamp_min(0).sqrt()
    well_inside = root / a > 15.0
    front, back = (-b - root) / a, (-b + root) / a
    assert well_inside.sum() > 100
    assert (seen.depth[0, 0, 0, 0] - front)[well_inside].abs().max() < 0.5
    assert (seen.depth[0, 0, 0, 1] - back)[well_inside].abs().max() < 0.5
    assert torch.isnan(seen.depth[0, 0, 0][:, ~seen.mask[0, 0, 0]]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_of_a_convex_body_back_less_front_is_the_thickness(backend: str):
    vertices, faces = ball(25.0, (10.0, 5.0, -4.0))
    cameras = ProjectiveCameras.of([CAMERA])
    seen = render_both_faces(
        vertices[None], faces, torch.zeros(len(faces), dtype=torch.long), 1, cameras, backend=backend
    )
    deep = (seen.depth[0, 0, 0, 1] - seen.depth[0, 0, 0, 0]) * cameras.path_per_depth()[0]
    thick = ray_thickness(vertices[None], ClosedSurfaces.of(faces, len(vertices)), cameras)[0, 0, 0]
    on = seen.mask[0, 0, 0]
    torch.testing.assert_close(deep[on], thick[on], atol=1e-6, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_vertices_carry_comes_back_at_the_crossing(backend: str):
    """Vertices that carry their own place: projected, it falls on the pixel it was found at, at its depth."""
    vertices, faces = ball(25.0, (0.0, 0.0, 0.0))
    cameras = ProjectiveCameras.of([CAMERA])
    seen = render_both_faces(
        vertices[None], faces, torch.zeros(len(faces), dtype=torch.long), 1, cameras, backend=backend
    )
    places = seen.of_vertices(vertices, faces)[0, 0, 0]
    for side in (0, 1):
        row, column = torch.nonzero(seen.mask[0, 0, 0], as_tuple=True)
        screen = cameras.project(places[side, row, column].double()[None])[0, 0]
        torch.testing.assert_close(screen[:, 0], column.double(), atol=2e-4, rtol=0)
        torch.testing.assert_close(screen[:, 1], row.double(), atol=2e-4, rtol=0)
        torch.testing.assert_close(screen[:, 2], seen.depth[0, 0, 0, side, row, column], atol=1e-3, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_structures_do_not_hide_each_other(backend: str):
    near, faces = ball(15.0, (0.0, 40.0, 0.0))  # in front of the patient, where the source of this view is
    far, _ = ball(15.0, (0.0, -40.0, 0.0))
    both = torch.cat([near, far])[None]
    label = torch.cat([torch.zeros(len(faces), dtype=torch.long), torch.ones(len(faces), dtype=torch.long)])
    seen = render_both_faces(
        both, torch.cat([faces, faces + len(near)]), label, 2, ProjectiveCameras.of([CAMERA]), backend=backend
    )
    middle = seen.depth[0, 0, :, :, 15, 18]
    torch.testing.assert_close(
        middle, torch.tensor([[745.0, 775.0], [825.0, 855.0]]).double(), atol=0.8, rtol=0
    )


def test_back_ends_agree():
    if len(BACKENDS) < 2:
        pytest.skip("numba is not installed")
    vertices, faces = ball(25.0, (4.0, 3.0, 2.0), 2)
    scene = (
        vertices[None],
        faces,
        torch.zeros(len(faces), dtype=torch.long),
        1,
        ProjectiveCameras.of([CAMERA]),
    )
    plain, compiled = (render_both_faces(*scene, backend=name) for name in BACKENDS)
    torch.testing.assert_close(plain.depth, compiled.depth, equal_nan=True)
    torch.testing.assert_close(
        plain.of_vertices(vertices, faces).float(), compiled.of_vertices(vertices, faces)
    )


def test_labels_that_do_not_fit_are_refused():
    vertices, faces = ball(25.0, (0.0, 0.0, 0.0), 1)
    with pytest.raises(InputError, match="number of its structure"):
        render_both_faces(
            vertices[None], faces, torch.ones(len(faces), dtype=torch.long), 1, ProjectiveCameras.of([CAMERA])
        )
