"""Slices show the image where it is, and contours are the exact cut of plane and surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.export.slices import AXIAL, CORONAL, SAGITTAL, View, standard_slices, take_slice
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction

LETTER = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


def length(segments: np.ndarray) -> float:
    return float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())


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
