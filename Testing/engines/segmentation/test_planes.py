"""Labels on planes that cross, on planes oblique to the voxels, and on single slices."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engines.segmentation.painted import every, label_map, of_array, vertebra
from mri2mesh.engines.segmentation.drawn import slices_about, where_drawn
from mri2mesh.engines.segmentation.engine import reconstruct
from mri2mesh.engines.segmentation.parts import patches_of
from mri2mesh.geometry.distances import surface_distances

TRUTH = {22: vertebra("L3", 36.0, 1, 8.0), 23: vertebra("L4", 0.0, 2, -6.0)}
BONES = {22: "L3", 23: "L4"}


@cache
def whole():
    return label_map(TRUTH)


@cache
def crossing():
    """Sagittal and axial slices of the same two vertebrae."""
    labels = np.maximum(every(whole(), 0, 9).labels, every(whole(), 2, 9).labels)
    return of_array(labels, whole().ijk_to_ras)


def oblique(planes: int = 5, degrees: float = 25.0):
    """The voxels on a few parallel planes, turned about the long axis out of the sagittal ones."""
    labels, grid = np.zeros_like(whole().labels), whole()
    k, j, i = np.indices(labels.shape)
    points = grid.ras_from_ijk(np.stack([i, j, k], axis=-1).reshape(-1, 3)).reshape(*labels.shape, 3)
    turn = np.radians(degrees)
    normal = np.array([np.cos(turn), np.sin(turn), 0.0])
    height = (points - TRUTH[22].vertices.mean(axis=0)) @ normal
    for place in np.arange(planes) - (planes - 1) / 2:
        near = np.abs(height - 10.0 * place) < 0.5
        labels[near] = grid.labels[near]
    return of_array(labels, grid.ijk_to_ras)


def drawn(label_map):
    return where_drawn(list(patches_of(label_map, BONES).values()), label_map)


def test_slices_that_cross_are_told_from_parallel_ones():
    found = drawn(crossing())
    assert [stack.axis for stack in found.stacks] == [0, 2]
    for stack in found.stacks:
        assert set(stack.slices) <= set(range(4, 200, 9))
    assert not found.sheets and not found.whole
    assert [stack.axis for stack in drawn(every(whole(), 0, 9)).stacks] == [0]


def test_planes_oblique_to_the_voxels_are_found_where_they_lie():
    found = drawn(oblique())
    assert len(found.sheets) == 5
    normal = np.array([np.cos(np.radians(25.0)), np.sin(np.radians(25.0)), 0.0])
    for sheet in found.sheets:
        assert abs(sheet.frame[:3, 2] @ normal) > np.cos(np.radians(2.0))
    away = sorted(
        float((sheet.frame[:3, 3] - TRUTH[22].vertices.mean(axis=0)) @ normal) for sheet in found.sheets
    )
    np.testing.assert_allclose(away, [-20.0, -10.0, 0.0, 10.0, 20.0], atol=0.6)


def test_whole_labels_are_on_no_planes():
    assert drawn(whole()).whole


@pytest.mark.parametrize(("labels", "limit"), [(crossing, 0.65), (oblique, 1.0)])
def test_what_such_planes_show_is_met(labels, limit):
    given = labels()
    result = reconstruct(given)
    assert [one.name for one in result.structures] == ["L3", "L4"]
    assert result.passed
    for one, truth in zip(result.structures, TRUTH.values(), strict=True):
        assert surface_distances(one.mesh, truth).assd < limit
        assert 0.02 < one.support.mean() < 0.6


def test_a_slice_drawn_for_another_bone_says_nothing_of_this_one():
    """L3 on one sagittal slice, L4 on another: that L3 is not on the second is no sign that it ends before."""
    labels = np.zeros_like(whole().labels)
    middle = labels.shape[2] // 2
    for place, label in ((middle, 22), (middle + 5, 23)):
        there = whole().labels[:, :, place] == label
        labels[:, :, place][there] = label
    given = of_array(labels, whole().ijk_to_ras)
    found, patches = drawn(given), patches_of(given, BONES)
    assert list(slices_about(patches["L3"], found.stacks[0])) == [middle]
    for one, truth in zip(reconstruct(given).structures, TRUTH.values(), strict=True):
        assert abs(np.ptp(one.mesh.vertices[:, 0]) - np.ptp(truth.vertices[:, 0])) < 25.0
