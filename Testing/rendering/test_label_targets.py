"""Targets from full and sparse label maps against the surfaces the labels were made from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.errors import InputError
from mri2mesh.rendering.cameras import AXIS_VIEW_NAMES, OrthographicCameras, axis_views
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.label_targets import targets_from_labels
from rendering.scenes import six_views, sphere

CENTRE = np.array([10.0, -20.0, 30.0])
RADII = np.array([12.0, 9.0, 14.0])
VIEW = {name: index for index, name in enumerate(AXIS_VIEW_NAMES)}


def sagittal_grid(spacing=(4.0, 1.0, 1.0), size=(9, 40, 44), tilt=0.0) -> np.ndarray:
    """ijk_to_ras of slices stacked along i (towards the left), rows from superior to inferior, about
    CENTRE."""
    axes = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]]).T
    turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ axes * np.array(spacing)
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ ((np.array(size) - 1) / 2)
    return matrix


def ellipsoid(matrix: np.ndarray, size=(9, 40, 44), bump=True) -> np.ndarray:
    """[K, J, I] mask of an ellipsoid at CENTRE, with a smaller ball in front, above and to the right of
    it."""
    i, j, k = np.meshgrid(*[np.arange(n) for n in size], indexing="ij")
    points = np.stack([i, j, k], -1) @ matrix[:3, :3].T + matrix[:3, 3] - CENTRE
    inside = ((points / RADII) ** 2).sum(-1) < 1
    if bump:
        inside |= ((points - [6, 8, 9]) ** 2).sum(-1) < 25
    return inside.transpose(2, 1, 0)


def cameras(size=(40, 40)) -> OrthographicCameras:
    return OrthographicCameras(axis_views(), torch.tensor(CENTRE, dtype=torch.float32), 1.0, size)


def test_a_full_label_map_gives_the_images_of_its_surface():
    matrix = sagittal_grid((1.0, 1.0, 1.0), (40, 40, 44))
    targets = targets_from_labels(ellipsoid(matrix, (40, 40, 44), bump=False), None, matrix, cameras())
    vertices, faces = sphere(1.0, 4)
    surface = vertices * torch.tensor(RADII, dtype=torch.float32) + torch.tensor(CENTRE, dtype=torch.float32)
    hard = render_hard(surface, faces, cameras())
    assert targets.valid.all()
    overlap = (targets.silhouette * hard.silhouette[0]).sum((-2, -1))
    assert (2 * overlap / (targets.silhouette + hard.silhouette[0]).sum((-2, -1)) > 0.97).all()
    both = (targets.silhouette * hard.silhouette[0]).bool()
    assert (targets.depth - hard.depth[0])[both].abs().mean() < 0.4
    assert (targets.depth - hard.depth[0])[both].mean().abs() < 0.15  # no bias inwards or outwards
    assert torch.equal(targets.depth_valid, targets.silhouette.bool())


def test_an_oblique_grid_and_left_and_right_are_respected():
    matrix = sagittal_grid((1.0, 1.0, 1.0), (40, 40, 44), tilt=0.4)
    targets = targets_from_labels(ellipsoid(matrix, (40, 40, 44)), None, matrix, cameras())
    straight = sagittal_grid((1.0, 1.0, 1.0), (40, 40, 44))
    same = targets_from_labels(ellipsoid(straight, (40, 40, 44)), None, straight, cameras())
    assert (targets.silhouette - same.silhouette).abs().mean() < 0.03
    # The ball is at +6 right, +8 front, +9 up: seen from the front it is left of the middle and high.
    assert abs(float(targets.depth[VIEW["anterior"], 10, 13]) + 13) < 0.6
    assert targets.depth[VIEW["anterior"], 10, 26] > -10


def test_rays_within_labelled_slices_are_exact_and_the_others_are_not_valid():
    matrix = sagittal_grid()
    mask = ellipsoid(matrix)
    labelled = np.zeros(9, dtype=bool)
    labelled[[3, 4, 6]] = True
    sparse = targets_from_labels(mask, labelled, matrix, cameras())
    full = targets_from_labels(mask, np.ones(9, dtype=bool), matrix, cameras())
    front = VIEW["anterior"]
    columns = np.arange(40) - 19.5  # mm towards the patient's left, as i
    slice_of_column = np.round(columns / 4 + 4).astype(int)
    expected = labelled[np.clip(slice_of_column, 0, 8)]
    assert sparse.valid[front, :, torch.as_tensor(expected)].all()
    assert not sparse.valid[front, :, torch.as_tensor(~expected)].any()
    # In the middle slice the profile is the ellipsoid's own section.
    middle = int(np.flatnonzero(slice_of_column == 4)[1])
    profile = 9 * np.sqrt(np.clip(1 - ((np.arange(40) - 19.5) / 14) ** 2, 0, 1))
    inner = profile > 4
    depth = sparse.depth[front, :, middle].numpy()
    rows_of_bump = np.arange(40) < 18
    assert np.abs(depth + profile)[inner & ~rows_of_bump].max() < 0.8
    assert sparse.depth_valid[front, :, middle][torch.as_tensor(inner)].all()
    assert full.valid[front].all()


def test_across_the_slices_labels_are_a_lower_bound():
    matrix = sagittal_grid()
    mask = ellipsoid(matrix)
    labelled = np.zeros(9, dtype=bool)
    labelled[[3, 4]] = True
    sparse = targets_from_labels(mask, labelled, matrix, cameras())
    right = VIEW["right"]
    on = sparse.silhouette[right].bool()
    assert on.any() and torch.equal(sparse.valid[right], on)
    assert not sparse.depth_valid[right].any()  # an unlabelled slice may hide what was seen
    full = targets_from_labels(mask, None, matrix, cameras())
    assert full.valid[right].all() and full.silhouette[right][on].all()


def test_labels_in_slices_that_were_not_labelled_do_not_count():
    matrix = sagittal_grid()
    labelled = np.zeros(9, dtype=bool)
    labelled[4] = True
    a = targets_from_labels(ellipsoid(matrix), labelled, matrix, cameras())
    b = targets_from_labels(ellipsoid(matrix) & labelled, labelled, matrix, cameras())
    for image, other in zip(a, b, strict=True):
        assert torch.equal(image, other)


def test_a_structure_cut_by_the_volume_is_unknown_beyond_it():
    matrix = sagittal_grid((1.0, 1.0, 1.0), (40, 40, 44))
    mask = ellipsoid(matrix, (40, 40, 44), bump=False)[15:]  # the top rows are missing
    matrix = matrix @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 15], [0, 0, 0, 1.0]])
    targets = targets_from_labels(mask, None, matrix, cameras())
    front = VIEW["anterior"]
    assert not targets.valid[front, :10].any()  # above the cut nothing is known
    assert targets.valid[front, 20:].all()
    # From above the ray enters through the missing part: on, but where it starts is not known.
    above = VIEW["superior"]
    assert targets.valid[above, 19, 19] and not targets.depth_valid[above, 19, 19]


def test_an_empty_label_map_is_background_everywhere():
    targets = targets_from_labels(np.zeros((5, 6, 7), dtype=bool), None, np.eye(4), six_views(1.0, (8, 8)))
    assert targets.valid.all() and not targets.silhouette.any() and not targets.depth_valid.any()


def test_a_wrong_number_of_slices_is_refused():
    with pytest.raises(InputError, match="labelled_slices"):
        targets_from_labels(ellipsoid(sagittal_grid()), np.ones(4, dtype=bool), sagittal_grid(), cameras())
