"""Where a point of the patient falls in each view."""

from __future__ import annotations

import pytest
import torch

from mri2mesh.errors import InputError
from mri2mesh.rendering.cameras import AXIS_VIEW_NAMES, OrthographicCameras, axis_views, ring_cameras

RIGHT, ANTERIOR, SUPERIOR = (5.0, 0.0, 0.0), (0.0, 5.0, 0.0), (0.0, 0.0, 5.0)


def cameras(centre=(0.0, 0.0, 0.0), rotation=None, size=(21, 31)) -> OrthographicCameras:
    rotation = axis_views() if rotation is None else rotation
    return OrthographicCameras(rotation, torch.tensor(centre), 0.5, size)


@pytest.mark.parametrize(
    ("view", "point", "expected"),
    [
        # centre pixel of 21 rows x 31 columns is column 15, row 10; 5 mm are 10 pixels
        ("anterior", RIGHT, (5, 10, 0)),  # radiological: the patient's right is on the left
        ("anterior", SUPERIOR, (15, 0, 0)),
        ("anterior", ANTERIOR, (15, 10, -5)),  # nearer to the viewer
        ("posterior", RIGHT, (25, 10, 0)),
        ("right", ANTERIOR, (25, 10, 0)),
        ("right", RIGHT, (15, 10, -5)),
        ("left", ANTERIOR, (5, 10, 0)),
        ("superior", RIGHT, (25, 10, 0)),
        ("superior", ANTERIOR, (15, 0, 0)),
        ("superior", SUPERIOR, (15, 10, -5)),
        ("inferior", RIGHT, (5, 10, 0)),
        ("inferior", ANTERIOR, (15, 0, 0)),
    ],
)
def test_anatomical_directions_fall_where_a_radiologist_expects_them(view, point, expected):
    screen = cameras().project(torch.tensor([[point]]))[0, AXIS_VIEW_NAMES.index(view), 0]
    torch.testing.assert_close(screen, torch.tensor(expected, dtype=torch.float32))


def test_unproject_undoes_project_for_one_centre_per_mesh():
    points = torch.randn(3, 7, 3, dtype=torch.float64)
    views = OrthographicCameras(ring_cameras(5, (1.0, 2.0, 3.0)), torch.randn(3, 3), 0.7, (40, 30))
    torch.testing.assert_close(
        views.unproject(views.project(points)), points[:, None].expand(3, 5, 7, 3), atol=1e-5, rtol=0
    )


def test_a_ring_turns_from_the_front_to_the_left_and_keeps_the_axis_upright():
    ring = cameras(rotation=ring_cameras(4, "z"))
    screen = ring.project(torch.tensor([[ANTERIOR, (-5.0, 0.0, 0.0), SUPERIOR]]))[0]
    torch.testing.assert_close(screen[0, 0, 2], torch.tensor(-5.0))  # first view: anterior is nearest
    torch.testing.assert_close(screen[1, 1, 2], torch.tensor(-5.0))  # second view: left is nearest
    assert (screen[:, 2, 1] < 0.01).all()


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_ring_views_are_rotations(axis):
    rotation = ring_cameras(7, axis)
    torch.testing.assert_close(rotation @ rotation.transpose(1, 2), torch.eye(3).expand(7, 3, 3))
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(7))


def test_a_mirroring_camera_is_refused():
    with pytest.raises(InputError, match="right-handed"):
        cameras(rotation=torch.diag(torch.tensor([-1.0, 1.0, 1.0]))[None])


def test_a_centre_of_the_wrong_shape_is_refused():
    with pytest.raises(InputError, match="centre"):
        OrthographicCameras(axis_views(), torch.zeros(2), 1.0, (8, 8))
