"""A surface on an edge agrees with the image; one that is off by more than the tolerance does not."""

import numpy as np

from geometry.solids import sphere
from mri2mesh.engines.mri2mesh.quality.support import inside_image
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.edge_agreement import edge_agreement, edge_offsets

CENTRE = np.array([4.0, -3.0, 6.0])


def ball_image(radius: float) -> Volume:
    """A bright ball in an oblique, left-handed, anisotropic image (RAS)."""
    matrix = np.array([[-2.0, 0, 0.2, 52], [0, 1.0, 0, -43], [0.1, 0, 1.2, -40], [0, 0, 0, 1]])
    k, j, i = np.meshgrid(np.arange(75), np.arange(80), np.arange(50), indexing="ij")
    ras = np.stack([i, j, k], -1) @ matrix[:3, :3].T + matrix[:3, 3]
    distance = np.linalg.norm(ras - CENTRE, axis=-1)
    return Volume(1 / (1 + np.exp(distance - radius)).astype(np.float32), matrix)


def ball(radius: float) -> Mesh:
    return sphere(radius, tuple(CENTRE))


def everywhere(mesh: Mesh) -> np.ndarray:
    return np.ones(len(mesh.vertices), bool)


def test_a_surface_on_the_edge_agrees():
    mesh = ball(20.0)
    assert edge_agreement(mesh, ball_image(20.0), everywhere(mesh)) > 0.99


def test_the_offset_is_signed_outward_and_in_millimetres():
    mesh = ball(17.0)
    offsets = edge_offsets(mesh, ball_image(20.0), everywhere(mesh))
    assert abs(np.median(offsets) - 3.0) < 0.3


def test_a_surface_three_millimetres_off_does_not_agree():
    mesh = ball(17.0)
    assert edge_agreement(mesh, ball_image(20.0), everywhere(mesh)) < 0.1


def test_points_are_inside_up_to_the_outer_face_of_the_last_voxel():
    volume = Volume(np.zeros((5, 5, 5), np.float32), np.diag([2.0, 1.0, 1.0, 1.0]))
    points = np.array([[8.9, 2, 2], [9.1, 2, 2], [-0.9, 2, 2], [-1.1, 2, 2]])
    assert inside_image(volume, points).tolist() == [True, False, True, False]
