"""Interpolation on other grids, against values known in the patient."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.ramps import oblique_matrix, ramp_at
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.resampling import normalise, resample_to_grid

SOURCE = oblique_matrix((0.9, 1.1, 3.0), (12, -20, 35))
TARGET = oblique_matrix((1.3, 0.8, 1.7), (-8, 15, -40))


def grid_points(matrix: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    k, j, i = np.indices(shape)
    return np.stack([i, j, k], axis=-1) @ matrix[:3, :3].T + matrix[:3, 3]


def deep_inside(volume: Volume, matrix: np.ndarray, shape: tuple[int, int, int], margin: float) -> np.ndarray:
    """Grid points at least ``margin`` voxels inside the outermost voxel centres of the volume."""
    ijk = volume.ijk_from_ras(grid_points(matrix, shape))
    return np.all((ijk >= margin) & (ijk <= np.array(volume.array.shape[::-1]) - 1 - margin), axis=-1)


@pytest.mark.parametrize(("order", "margin", "tolerance"), [(1, 0.0, 1e-2), (3, 6.0, 0.05)])
def test_a_ramp_keeps_its_values_between_oblique_grids(ramp_volume, order, margin, tolerance):
    volume = ramp_volume(SOURCE, (20, 42, 40))
    shape = (22, 24, 26)
    target = TARGET.copy()
    target[:3, 3] = volume.ras_from_ijk(np.array([20, 20, 10])) - TARGET[:3, :3] @ [13, 12, 11]
    values, inside = resample_to_grid(volume, target, shape, order)
    deep = deep_inside(volume, target, shape, margin)
    assert deep.sum() > 2000
    assert values.dtype == np.float32 and values.shape == shape and inside[deep].all()
    np.testing.assert_allclose(values[deep], ramp_at(grid_points(target, shape))[deep], atol=tolerance)


def test_a_sheared_grid_is_resampled_exactly(ramp_volume):
    sheared = np.diag([1.0, 1.0, 2.0, 1.0])
    sheared[1, 2] = 0.5
    volume = ramp_volume(sheared, (10, 20, 20))
    target = np.diag([0.9, 0.9, 0.9, 1.0])
    values, _ = resample_to_grid(volume, target, (15, 18, 18))
    deep = deep_inside(volume, target, (15, 18, 18), 0)
    np.testing.assert_allclose(values[deep], ramp_at(grid_points(target, (15, 18, 18)))[deep], atol=1e-2)


def test_labels_go_to_the_nearest_voxel_and_its_own_grid_returns_the_image():
    rng = np.random.default_rng(0)
    labels = Volume(rng.integers(0, 30, (5, 6, 7)).astype(np.uint8), SOURCE)
    values, inside = resample_to_grid(labels, SOURCE, (5, 6, 7), order=0)
    np.testing.assert_array_equal(values, labels.array)
    assert inside.all()
    shifted = SOURCE.copy()
    shifted[:3, 3] += SOURCE[:3, :3] @ [0.4, -0.4, 0.4]
    np.testing.assert_array_equal(resample_to_grid(labels, shifted, (5, 6, 7), order=0)[0], labels.array)


def test_outside_the_field_of_view_is_filled_and_marked(ramp_volume):
    volume = ramp_volume(np.diag([1.0, 1.0, 2.0, 1.0]), (4, 5, 6))
    larger = np.eye(4)
    larger[:3, 3] = (-2, -2, -2)
    values, inside = resample_to_grid(volume, larger, (12, 10, 12), fill=-7)
    # Voxels reach half a voxel beyond their centres: i -0.5..5.5, j -0.5..4.5, k (2 mm) -1..7 mm.
    expected = np.zeros((12, 10, 12), dtype=bool)
    expected[1:10, 2:7, 2:8] = True
    np.testing.assert_array_equal(inside, expected)
    assert (values[~inside] == -7).all() and (values[inside] != -7).all()


def test_anti_aliasing_removes_a_pattern_finer_than_the_new_voxels():
    stripes = np.zeros((8, 40, 40), dtype=np.float32)
    stripes[:, :, ::2] = 100
    volume = Volume(stripes, np.eye(4))
    coarse = np.diag([4.0, 4.0, 1.0, 1.0])
    plain, _ = resample_to_grid(volume, coarse, (8, 10, 10))
    smooth, _ = resample_to_grid(volume, coarse, (8, 10, 10), anti_alias=True)
    assert plain.min() == 100  # aliased: only bright stripes are met
    np.testing.assert_allclose(smooth[:, 2:-2, 2:-2], 50, atol=1)


def test_anti_aliasing_leaves_a_ramp_and_finer_grids_alone(ramp_volume):
    volume = ramp_volume(SOURCE, (20, 30, 30))
    coarse = oblique_matrix((3.0, 3.0, 3.0), (12, -20, 35))
    values, _ = resample_to_grid(volume, coarse, (18, 8, 8), anti_alias=True)
    deep = deep_inside(volume, coarse, (18, 8, 8), 5)
    assert deep.sum() > 50
    np.testing.assert_allclose(values[deep], ramp_at(grid_points(coarse, (18, 8, 8)))[deep], atol=1e-2)
    plain, _ = resample_to_grid(volume, SOURCE, (20, 30, 30))
    same, _ = resample_to_grid(volume, SOURCE, (20, 30, 30), anti_alias=True)
    np.testing.assert_array_equal(plain, same)


def test_slices_already_thick_are_not_blurred_again():
    rng = np.random.default_rng(1)
    overlapping = rng.random((20, 6, 6)).astype(np.float32)
    target = np.diag([1.0, 1.0, 4.0, 1.0])
    thin = Volume(overlapping, np.diag([1.0, 1.0, 2.0, 1.0]))
    thick = Volume(overlapping, np.diag([1.0, 1.0, 2.0, 1.0]), slice_thickness_mm=4.0)
    plain, _ = resample_to_grid(thin, target, (10, 6, 6))
    np.testing.assert_array_equal(resample_to_grid(thick, target, (10, 6, 6), anti_alias=True)[0], plain)
    assert np.abs(resample_to_grid(thin, target, (10, 6, 6), anti_alias=True)[0] - plain).max() > 0.05


def test_normalised_values_run_from_0_to_1_and_ignore_what_is_masked_out():
    rng = np.random.default_rng(2)
    image = rng.uniform(100, 1100, (20, 20, 20))
    mask = np.ones(image.shape, dtype=bool)
    mask[:5] = False
    image[:5] = 1e6
    image[10, 10, 10] = 1e5
    scaled = normalise(image.astype(np.float64), mask)
    assert scaled.dtype == np.float32
    assert (scaled[:5] == 0).all() and scaled.max() == 1.5
    np.testing.assert_allclose(scaled[mask & (image < 1e4)].mean(), 0.5, atol=0.02)
    np.testing.assert_allclose(normalise(image * 7 + 3, mask), scaled, atol=1e-5)


def test_a_nearly_or_wholly_constant_image_is_normalised_without_dividing_by_zero():
    nearly = np.zeros((10, 10, 10))
    nearly[0, 0, 0] = 5
    assert normalise(nearly).max() == 1
    assert not normalise(np.full((3, 3, 3), 9.0)).any()
    assert not normalise(nearly, np.zeros(nearly.shape, dtype=bool)).any()


def test_impossible_requests_are_refused(ramp_volume):
    volume = ramp_volume(SOURCE, (4, 4, 4))
    with pytest.raises(ValueError, match="order"):
        resample_to_grid(volume, SOURCE, (4, 4, 4), order=2)
    with pytest.raises(ValueError, match="labels"):
        resample_to_grid(volume, SOURCE, (4, 4, 4), order=0, anti_alias=True)
