"""Axes by name, and voxels that stay in place when axes are permuted and flipped."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from imaging.ramps import ramp_at
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.orientation import array_axis, patient_axes, reorient

CODES = [
    "".join(pair[sign] for pair, sign in zip(order, signs, strict=True))
    for order in permutations(["LR", "PA", "IS"])
    for signs in product((0, 1), repeat=3)
]


def orientation_code(matrix: np.ndarray) -> str:
    """Where i, j and k increase to, as three letters."""
    axes, signs = patient_axes(matrix)
    return "".join(("LPI", "RAS")[int(sign > 0)][axis] for axis, sign in zip(axes, signs, strict=True))


def test_a_tilted_sagittal_volume_is_named_by_the_direction_its_axes_run_to(sagittal_matrix):
    assert orientation_code(sagittal_matrix) == "PIL"
    assert orientation_code(np.eye(4)) == "RAS"
    assert orientation_code(np.diag([-1.0, -1.0, 1.0, 1.0])) == "LPS"


@pytest.mark.parametrize("code", CODES)
def test_reorienting_moves_no_voxel(ramp_volume, sagittal_matrix, code):
    volume = ramp_volume(sagittal_matrix, (3, 4, 5))
    other = reorient(volume, code)
    assert orientation_code(other.ijk_to_ras) == code
    k, j, i = np.indices(other.array.shape)
    points = other.ras_from_ijk(np.stack([i, j, k], axis=-1))
    np.testing.assert_allclose(other.array, ramp_at(points), atol=1e-3)
    np.testing.assert_array_equal(np.sort(other.array, axis=None), np.sort(volume.array, axis=None))
    back = reorient(other, "PIL")
    np.testing.assert_array_equal(back.array, volume.array)
    np.testing.assert_allclose(back.ijk_to_ras, volume.ijk_to_ras, atol=1e-9)


def test_what_is_known_of_the_volume_stays_with_it(sagittal_matrix):
    volume = Volume(np.zeros((3, 4, 5), np.int16), sagittal_matrix, 3.5, {"modality": "MR"})
    other = reorient(volume, "RAS")
    assert other.slice_thickness_mm == 3.5 and other.metadata == {"modality": "MR"}
    assert other.array.dtype == np.int16 and volume.slice_axis == 2 and other.slice_axis == 0


def test_patient_axes_are_found_among_the_index_axes(sagittal_matrix):
    volume = Volume(np.zeros((3, 4, 5)), sagittal_matrix)
    assert [array_axis(volume, name) for name in "xyz"] == [2, 0, 1]
    assert array_axis(volume, 1) == 1


@pytest.mark.parametrize("code", ["RA", "RAA", "RLS", "XYZ", "ras"])
def test_a_code_that_is_no_orientation_is_refused(sagittal_matrix, code):
    with pytest.raises(ValueError, match="orientation"):
        reorient(Volume(np.zeros((3, 4, 5)), sagittal_matrix), code)
