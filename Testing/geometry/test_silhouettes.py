"""Outlines against the tangent circle of a sphere, the shadow of a box, and the sides of a lopsided solid."""

from __future__ import annotations

import numpy as np
import pytest

from geometry.solids import box, hand, sphere
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.silhouettes import EdgeAdjacency, Silhouette, contour_edges, face_planes
from mri2mesh.geometry.xray_camera import XrayCamera

OBLIQUE = XrayCamera.from_c_arm(
    source_to_detector_mm=1000,
    source_to_isocentre_mm=700,
    pixel_spacing_mm=(0.5, 0.8),
    size=(400, 300),
    primary_angle_deg=25,
    secondary_angle_deg=-10,
    principal_point_px=(120.0, 230.0),
)


def test_the_contour_of_a_sphere_is_the_circle_where_rays_touch_it():
    radius, distance, source = 40.0, 300.0, np.array([0, -300.0, 0])
    ball = sphere(radius, subdivisions=6)
    edges = contour_edges(
        face_planes(ball.vertices, ball.faces), EdgeAdjacency.from_faces(ball.faces), source
    )
    on_circle = ball.vertices[np.unique(edges)]
    # The polar plane of the source: p.source = r^2, an edge's length (0.6 mm) to either side.
    assert np.abs(on_circle[:, 1] + radius**2 / distance).max() < 0.9
    radii = np.linalg.norm(on_circle[:, [0, 2]], axis=1)
    np.testing.assert_allclose(radii, radius * np.sqrt(1 - (radius / distance) ** 2), atol=0.15)


def test_the_shadow_of_a_sphere_over_the_principal_point_has_the_perspective_radius():
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1000, source_to_isocentre_mm=600, pixel_spacing_mm=(0.5, 0.25), size=(400, 800)
    )
    outline = Silhouette(sphere(40.0, subdivisions=6)).outline(camera)
    millimetres = (outline.points - camera.principal_point_px) * [0.25, 0.5]
    # SID tan(asin(r / SOD)), not the r SID / SOD of its great circle
    expected = 1000 * 40 / np.sqrt(600**2 - 40**2)
    np.testing.assert_allclose(np.linalg.norm(millimetres, axis=1), expected, rtol=2e-4)
    assert expected > 1000 * 40 / 600 + 0.1


def test_a_sphere_has_one_closed_outline():
    outline = Silhouette(sphere(40.0)).outline(OBLIQUE)
    assert (np.bincount(outline.lines.ravel()) == 2).all()


def test_an_outline_is_where_the_camera_sees_the_edges_of_the_surface():
    solid = hand()
    outline = Silhouette(solid).outline(OBLIQUE)
    projected = OBLIQUE.project(solid.vertices)
    for point in outline.points:
        assert np.linalg.norm(projected - point, axis=1).min() < 1e-9
    for corner in (projected.min(0), projected.max(0)):  # of the whole shadow, which the outline bounds
        assert np.abs(outline.points - corner).min(axis=0).max() < 1e-9


def test_left_and_right_of_a_lopsided_solid_are_not_swapped():
    knob = box((10, 10, 10), (80, 0, 20))  # to the patient's right, towards the head
    front, detector_side = (
        XrayCamera.from_c_arm(
            source_to_detector_mm=1000,
            source_to_isocentre_mm=700,
            pixel_spacing_mm=(0.5, 0.5),
            size=(501, 501),
            primary_angle_deg=180,
            seen_from=side,
        )
        for side in ("front", "detector")
    )
    points = Silhouette(knob).outline(front).points
    assert points[:, 0].max() < 150 and points[:, 1].max() < 240
    mirrored = Silhouette(knob).outline(detector_side).points
    assert mirrored[:, 0].min() > 350 and mirrored[:, 1].max() < 240


@pytest.mark.parametrize("mirrored", [False, True])
def test_moving_the_surface_by_a_matrix_is_moving_its_vertices(mirrored):
    solid, matrix = hand(), np.eye(4)
    matrix[:3] = [[0.9, -0.3, 0.1, 12], [0.2, 1.1, 0.4, -7], [-0.3, 0.2, 0.8, 5]]
    if mirrored:
        matrix[:3, 0] *= -1
    moved = Silhouette(solid.transformed(matrix)).outline(OBLIQUE)
    found = Silhouette(solid).outline(OBLIQUE, matrix)
    np.testing.assert_allclose(sort_segments(found.segments), sort_segments(moved.segments), atol=1e-3)


def test_new_vertices_are_those_of_a_new_surface():
    solid = hand()
    bent = solid.vertices * [1, 1.4, 0.7] + [0, 3, 9]
    silhouette = Silhouette(solid)
    silhouette.set_vertices(bent)
    fresh = Silhouette(Mesh(bent, solid.faces)).outline(OBLIQUE)
    np.testing.assert_allclose(silhouette.outline(OBLIQUE).segments, fresh.segments, atol=1e-3)


def test_where_an_open_surface_ends_there_is_an_outline():
    closed = box((40, 30, 20))
    open_box = Mesh(closed.vertices, closed.faces[2:])  # one side, two triangles, is missing
    assert len(EdgeAdjacency.from_faces(closed.faces).rims) == 0
    rims = EdgeAdjacency.from_faces(open_box.faces).rims
    assert len(rims) == 4
    source = np.array([0, -500.0, 3])
    drawn = contour_edges(
        face_planes(open_box.vertices, open_box.faces), EdgeAdjacency.from_faces(open_box.faces), source
    )
    assert {tuple(edge) for edge in rims} <= {tuple(edge) for edge in drawn}


def test_what_reaches_behind_the_source_is_not_drawn_and_the_rest_is():
    source = OBLIQUE.source_ras_mm
    around = sphere(50.0, tuple(source))
    assert len(Silhouette(around).outline(OBLIQUE).lines) == 0
    beside = sphere(50.0, tuple(source + 60 * OBLIQUE.axes_ras[0]), subdivisions=4)
    outline = Silhouette(beside).outline(OBLIQUE)
    assert len(outline.lines) > 0 and np.isfinite(outline.points).all()
    assert outline.lines.max() == len(outline.points) - 1


def test_a_surface_without_faces_has_no_outline():
    nothing = Silhouette(Mesh(np.zeros((0, 3)), np.zeros((0, 3), int))).outline(OBLIQUE)
    assert nothing.segments.shape == (0, 2, 2)


def sort_segments(segments: np.ndarray) -> np.ndarray:
    ends = np.array([sorted(map(tuple, np.round(segment, 6))) for segment in segments])
    return ends[np.lexsort(ends.reshape(len(ends), -1).T)]
