"""Slices show the image where it is, and contours are the exact cut of plane and surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from export.conftest import ellipsoid
from mri2mesh.export.slices import AXIAL, CORONAL, SAGITTAL, View, cut, standard_slices, take_slice
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction

LETTER = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


def length(segments: np.ndarray) -> float:
    return float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())


def test_a_sphere_is_cut_in_a_circle() -> None:
    mesh = ellipsoid(np.array([5.0, -3, 7]), np.array([10.0, 10, 10]), n=60)
    normal = np.array([2.0, -1, 2]) / 3
    segments = cut(mesh, np.array([5.0, -3, 7]) + 6 * normal, normal)
    assert length(segments) == pytest.approx(2 * np.pi * 8, rel=2e-3)
    heights = (segments.reshape(-1, 3) - [5, -3, 7]) @ normal
    np.testing.assert_allclose(heights, 6, atol=1e-5)


def test_the_contour_of_a_closed_surface_is_closed_even_through_vertices() -> None:
    corners = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 0, 1)])
    from scipy.spatial import ConvexHull

    octahedron = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    for points in (octahedron, corners):
        mesh = Mesh(points, ConvexHull(points).simplices)
        ends = cut(mesh, np.zeros(3), np.array([0.0, 0, 1])).reshape(-1, 3).round(6)
        _, counts = np.unique(ends, axis=0, return_counts=True)
        assert len(counts) >= 4 and (counts % 2 == 0).all()


def test_a_plane_that_misses_cuts_nothing(spine: Reconstruction) -> None:
    assert cut(spine["L3"].mesh, np.array([0, 0, 500.0]), np.array([0, 0, 1.0])).shape == (0, 2, 3)


@pytest.mark.parametrize("view", [SAGITTAL, CORONAL, AXIAL], ids=lambda view: view.name)
def test_letters_name_the_directions_they_stand_at(view: View) -> None:
    left, right, top, bottom = (np.array(LETTER[letter]) for letter in view.letters)
    np.testing.assert_array_equal(right, view.right)
    np.testing.assert_array_equal(left, -right)
    np.testing.assert_array_equal(top, view.up)
    np.testing.assert_array_equal(bottom, -top)


def test_anterior_is_left_of_a_sagittal_slice_and_the_patients_right_is_left_of_the_others() -> None:
    assert SAGITTAL.letters[0] == "A" and SAGITTAL.letters[2] == "S"
    assert CORONAL.letters[0] == "R" and CORONAL.letters[2] == "S"
    assert AXIAL.letters[0] == "R" and AXIAL.letters[2] == "A"


@pytest.mark.parametrize("view", [SAGITTAL, CORONAL, AXIAL], ids=lambda view: view.name)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_of_an_oblique_anisotropic_image_shows_every_point_where_it_is(
    oblique_image: Volume, view: View, axis: int
) -> None:
    """The image holds one of its own coordinates, so each pixel says where it was taken."""
    k, j, i = np.indices(oblique_image.array.shape)
    own = oblique_image.ras_from_ijk(np.stack([i, j, k], axis=-1))[..., axis].astype(np.float32)
    plane = take_slice(oblique_image.with_array(own), view, np.array([12.0, -20, -8]), "")
    rows, columns = plane.pixels.shape
    left, right, bottom, top = plane.extent
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    along = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    assert (right - left) / columns == pytest.approx((top - bottom) / rows)
    expected = plane.origin[axis] + across[None] * view.right[axis] + along[:, None] * view.up[axis]
    error = np.abs(plane.pixels - expected)[plane.seen]
    assert np.median(error) < 1e-3 and error.max() < 2.1  # at the rim half a voxel is extrapolated


def test_standard_slices_pass_where_their_titles_say(spine: Reconstruction, oblique_image: Volume) -> None:
    right, middle, left, coronal, axial = standard_slices(spine, oblique_image)
    assert right.title.startswith("Right") and left.title.startswith("Left")
    assert right.origin[0] > middle.origin[0] > left.origin[0]
    assert (coronal.title, axial.title) == ("Coronal, L3", "Axial, L3")
    assert coronal.origin[1] == pytest.approx(-20, abs=0.1) and axial.origin[2] == pytest.approx(-8, abs=0.1)
    assert len(middle.contours(spine["L3"].mesh)) and not len(axial.contours(spine["L1"].mesh))


def test_slices_of_an_empty_result_go_through_the_middle_of_the_image(
    spine: Reconstruction, oblique_image: Volume
) -> None:
    planes = standard_slices(replace(spine, structures=[]), oblique_image)
    np.testing.assert_allclose(planes[3].origin[1], -30, atol=0.1)
    assert all(plane.seen.any() for plane in planes)
