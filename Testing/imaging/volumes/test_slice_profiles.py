"""Thick slices against integrals done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf

from imaging.ramps import oblique_matrix, ramp_at
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.slice_profiles import SIGMA_PER_FWHM, average_slices, thick_slices

OBLIQUE = oblique_matrix((1.0, 0.9, 0.8), (10, -14, 25))
PROFILES = ["box", "gaussian"]


def along_i(values: np.ndarray, spacing: float = 1.0) -> Volume:
    """The same profile on every row; i runs to the right."""
    array = np.broadcast_to(values.astype(np.float32), (2, 3, len(values)))
    return Volume(array, np.diag([spacing, 1.0, 1.0, 1.0]))


def slice_centres(volume: Volume) -> np.ndarray:
    """x of every slice centre, for volumes made by `along_i`."""
    return volume.ijk_to_ras[0, 0] * np.arange(volume.array.shape[2]) + volume.ijk_to_ras[0, 3]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("thickness", "spacing"), [(4.0, 4.0), (3.3, 4.1), (5.0, 2.5)])
def test_a_ramp_keeps_its_values_at_the_new_slice_centres(ramp_volume, profile, axis, thickness, spacing):
    volume = ramp_volume(OBLIQUE, (50, 46, 42))
    thick = thick_slices(volume, axis, thickness, spacing, profile=profile)
    assert thick.spacing[axis] == pytest.approx(spacing) and thick.slice_thickness_mm == thickness
    k, j, i = np.indices(thick.array.shape)
    truth = ramp_at(thick.ras_from_ijk(np.stack([i, j, k], axis=-1)))
    # The profile must see no edge of the volume: a Gaussian reaches 1.5 thicknesses.
    ends = int(np.ceil(1.5 * thickness / spacing)) if profile == "gaussian" else 1
    interior = [slice(None)] * 3
    interior[2 - axis] = slice(ends, -ends)
    assert truth[tuple(interior)].size
    np.testing.assert_allclose(thick.array[tuple(interior)], truth[tuple(interior)], atol=5e-3)


@pytest.mark.parametrize("fine", [1.0, 0.5])
def test_an_edge_seen_by_a_box_is_a_linear_ramp_as_wide_as_the_slice(fine):
    edge = 30.0  # between two voxels: their centres are at multiples of the spacing, plus half of it
    x = np.arange(0, 60, fine)
    volume = along_i(np.where(x + fine / 2 > edge, 100.0, 0.0), fine)
    thick = thick_slices(volume, "x", 6.0, 0.35)
    truth = 100 * np.clip((slice_centres(thick) + fine / 2 - edge) / 6.0 + 0.5, 0, 1)
    error = np.abs(thick.array[0, 0] - truth)
    # Only where an end of the slice falls within a voxel of the edge is anything guessed.
    assert error.max() < 100 * fine / 6 * 0.15
    assert np.median(error) < 1e-3
    assert np.ptp(thick.array, axis=(0, 1)).max() == 0


def test_an_edge_seen_by_a_gaussian_is_an_error_function():
    x = np.arange(0, 60, 0.5)
    volume = along_i(np.where(x + 0.25 > 30.0, 100.0, 0.0), 0.5)
    thick = thick_slices(volume, "x", 6.0, 0.35, profile="gaussian")
    z = (slice_centres(thick) + 0.25 - 30.0) / (6.0 * SIGMA_PER_FWHM * np.sqrt(2))
    np.testing.assert_allclose(thick.array[0, 0], 50 * (1 + erf(z)), atol=0.25)


def test_what_lies_in_the_gap_between_slices_is_not_seen():
    values = np.zeros(30)
    values[[2, 3, 7, 8]] = [5, 9, 50, 70]
    thick = thick_slices(along_i(values), "x", 3.0, gap_mm=2.0, offset_mm=0.0)
    # Slices cover voxels 0-2, 5-7, 10-12, ...; voxels 3, 4, 8 and 9 lie in gaps.
    np.testing.assert_allclose(thick.array[0, 0], [5 / 3, 50 / 3, 0, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(slice_centres(thick), [1, 6, 11, 16, 21, 26], atol=1e-9)


def test_slices_side_by_side_keep_the_sum_of_any_tissue():
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 1000, 40)
    thick = thick_slices(along_i(values, 0.8), "x", 3.2)
    assert thick.array.shape == (2, 3, 10)
    np.testing.assert_allclose(thick.array[0, 0], values.reshape(10, 4).mean(axis=1), rtol=1e-5)
    # With boundaries inside voxels the sum still telescopes, up to the two ends.
    shifted = thick_slices(along_i(np.pad(values, 8), 0.8), "x", 2.5)
    assert shifted.array[0, 0].sum() * 2.5 == pytest.approx(values.sum() * 0.8, rel=1e-5)


def test_slices_as_thick_as_the_voxels_are_the_image_itself():
    values = np.random.default_rng(4).uniform(0, 9, 12)
    same = thick_slices(along_i(values), "x", 1.0)
    np.testing.assert_allclose(same.array[0, 0], values, rtol=1e-6)
    np.testing.assert_allclose(same.ijk_to_ras, np.eye(4), atol=1e-9)


def test_the_stack_is_centred_and_an_offset_moves_it():
    volume = along_i(np.arange(30.0))
    centred = slice_centres(thick_slices(volume, "x", 4.0, 5.0))
    np.testing.assert_allclose(centred.mean(), 14.5)
    assert len(centred) == 6
    moved = slice_centres(thick_slices(volume, "x", 4.0, 5.0, offset_mm=2.0))
    np.testing.assert_allclose(moved, -0.5 + 2.0 + 2.0 + 5.0 * np.arange(5))


@pytest.mark.parametrize("patient_axis", ["x", "y", "z"])
def test_averaged_slices_lie_at_the_centre_of_their_slab(ramp_volume, sagittal_matrix, patient_axis):
    matrix = sagittal_matrix.copy()
    matrix[:3, 2] /= 4  # 1 mm slices, running from right to left
    volume = ramp_volume(matrix, (19, 18, 17))
    averaged = average_slices(volume, patient_axis, 4)
    k, j, i = np.indices(averaged.array.shape)
    truth = ramp_at(averaged.ras_from_ijk(np.stack([i, j, k], axis=-1)))
    np.testing.assert_allclose(averaged.array, truth, atol=2e-3)
    axis = {"x": 2, "y": 0, "z": 1}[patient_axis]
    assert averaged.array.shape[2 - axis] == 4
    assert averaged.spacing[axis] == pytest.approx(4 * volume.spacing[axis])
    assert averaged.slice_thickness_mm == pytest.approx(4 * volume.spacing[axis])


def test_averages_take_the_slices_in_order_from_the_first():
    values = np.array([1, 2, 3, 10, 20, 60, 7.0])
    averaged = average_slices(along_i(values), 0, 3)
    np.testing.assert_allclose(averaged.array[1, 2], [2, 30])
    np.testing.assert_allclose(slice_centres(averaged), [1, 4])


def test_impossible_slices_are_refused():
    volume = along_i(np.arange(10.0))
    for arguments in [(0.5, None), (11.0, None), (3.0, 0.0), (3.0, -2.0)]:
        with pytest.raises(ValueError):
            thick_slices(volume, "x", *arguments)
    with pytest.raises(ValueError, match="contradict"):
        thick_slices(volume, "x", 3.0, 4.0, gap_mm=2.0)
    with pytest.raises(ValueError, match="profile"):
        thick_slices(volume, "x", 3.0, profile="sinc")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="average"):
        average_slices(volume, "x", 11)
    with pytest.raises(ValueError, match="axis"):
        average_slices(volume, "sagittal", 2)
