"""A solid passes; a hole, faces that look inwards and a surface through itself each fail, and the detail says which."""

from dataclasses import replace

import numpy as np

from geometry.solids import sphere
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.quality.closed_surface import INSIDE_OUT, OPEN, closed_surface
from mri2mesh.reconstruction import Check, ReconstructedStructure


def check(mesh: Mesh) -> Check:
    ones = np.ones(len(mesh.vertices), np.float32)
    return closed_surface(ReconstructedStructure(STRUCTURES["L3"], mesh, ones, ones))


def test_a_sphere_is_a_closed_surface():
    found = check(sphere(10.0))
    assert found.passed
    assert (found.name, found.structure, found.value, found.threshold) == ("closed surface", "L3", 0.0, 0.0)
    assert found.detail == "closed, without self-intersections"


def test_a_missing_face_is_a_hole():
    ball = sphere(10.0)
    found = check(replace(ball, faces=ball.faces[1:]))
    assert not found.passed
    assert found.value == OPEN
    assert found.detail == "the surface is not closed"


def test_vertices_mirrored_without_turning_the_faces_are_inside_out():
    ball = sphere(10.0)
    found = check(ball.with_vertices(ball.vertices * [-1, 1, 1]))
    assert not found.passed
    assert found.value == INSIDE_OUT
    assert "inside out" in found.detail


def test_a_vertex_drawn_through_the_other_side_makes_the_surface_meet_itself():
    ball = sphere(10.0)
    vertices = ball.vertices.copy()
    top = int(vertices[:, 2].argmax())
    vertices[top, 2] = -30.0
    found = check(ball.with_vertices(vertices))
    assert not found.passed
    assert found.value > 0
    assert f"meets itself in {found.value:.0f} places" in found.detail


def test_a_surface_of_no_volume_is_no_solid():
    ball = sphere(10.0)
    assert not check(ball.with_vertices(ball.vertices * [1, 1, 0])).passed
