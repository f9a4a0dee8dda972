"""Cutting the body out of a vertebra: on shapes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from mri2mesh.anatomy.regions import MIRRORED_REGION, Region, body_of, boundary_loops
from mri2mesh.anatomy.templates import template
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.mesh import Mesh


def ball_with_a_handle(radius: float = 20.0, cut: float = -15.0) -> Mesh:
    """A ball labelled body in front of y = cut and lamina behind it."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=radius)
    behind = ball.vertices[:, 1] < cut
    return Mesh(
        ball.vertices, ball.faces, {"region": np.where(behind, Region.LAMINA, Region.BODY).astype(np.uint8)}
    )


def test_body_of_a_cut_ball_has_the_volume_of_a_spherical_segment() -> None:
    body = body_of(ball_with_a_handle(20.0, -15.0))
    cap_height = 5.0
    expected = 4 / 3 * np.pi * 20.0**3 - np.pi * cap_height**2 * (20.0 - cap_height / 3)
    assert is_watertight(body)
    assert volume_mm3(body) == pytest.approx(expected, rel=0.02)


def test_cap_of_a_cut_ball_is_flat_and_marked() -> None:
    body = body_of(ball_with_a_handle(20.0, -15.0))
    cap = body.vertices[np.asarray(body.regions) == Region.CUT]
    assert len(cap) > 10
    assert np.ptp(cap[:, 1]) < 0.5 and np.allclose(cap[:, 1], -15.0, atol=1.5)


def test_boundary_loops_of_an_open_tube_are_its_two_ends() -> None:
    tube = trimesh.creation.cylinder(radius=5, height=20, sections=12)
    side = tube.faces[np.abs(tube.face_normals[:, 2]) < 0.5]
    loops = boundary_loops(side)
    assert len(loops) == 2
    assert all(np.ptp(tube.vertices[loop][:, 2]) == 0 for loop in loops)


def test_body_of_the_template_is_closed_and_loses_the_arch() -> None:
    vertebra = template("vertebra")
    body = body_of(vertebra)
    assert is_watertight(body) and self_intersections(body) == 0
    assert volume_mm3(body) > 0.5 * volume_mm3(vertebra)
    assert body.vertices[:, 1].min() > -24.0 > vertebra.vertices[:, 1].min() + 20.0
    caps = body.vertices[np.asarray(body.regions) == Region.CUT]
    assert (caps[:, 0] > 0).sum() == (caps[:, 0] < 0).sum() > 0  # one over each pedicle


def test_body_of_follows_a_rigid_motion() -> None:
    vertebra = template("vertebra")
    matrix = np.eye(4)
    matrix[:3, :3] = trimesh.transformations.euler_matrix(0.3, -0.5, 1.1)[:3, :3]
    matrix[:3, 3] = 40.0, -100.0, 700.0
    moved = body_of(vertebra.transformed(matrix))
    assert np.abs(moved.vertices - body_of(vertebra).transformed(matrix).vertices).max() < 1e-3


def test_body_of_says_what_is_missing() -> None:
    vertebra = template("vertebra")
    with pytest.raises(InputError, match="region"):
        body_of(Mesh(vertebra.vertices, vertebra.faces))
    with pytest.raises(InputError, match="no vertebral body"):
        body_of(template("disc"))


def test_mirrored_regions_swap_sides_only() -> None:
    for region in Region:
        name = region.name
        swapped = name.replace("LEFT", "#").replace("RIGHT", "LEFT").replace("#", "RIGHT")
        assert Region(int(MIRRORED_REGION[region])).name == swapped
