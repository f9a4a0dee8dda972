"""Bones of both sides in one label, and labels drawn on some slices."""

from __future__ import annotations

import numpy as np
import pytest

from engines.segmentation.painted import of_array
from mri2mesh.engines.segmentation.drawn import where_drawn
from mri2mesh.engines.segmentation.parts import patches_of

RAS = np.diag([2.0, 2.0, 2.0, 1.0])
LPS_STORED = np.array([[-2.0, 0, 0, 100], [0, -2.0, 0, 0], [0, 0, 2.0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("matrix", [RAS, LPS_STORED])
def test_left_is_where_x_is_smaller_whichever_way_the_file_is_stored(matrix):
    labels = np.zeros((40, 30, 60), np.uint16)
    labels[5:35, 5:25, 5:15] = labels[5:35, 5:25, 45:55] = 1
    found = patches_of(of_array(labels, matrix), {1: "hips"})
    assert list(found) == ["hip_left", "hip_right"]
    assert found["hip_left"].centre[0] < found["hip_right"].centre[0]
    assert found["hip_left"].array.sum() == found["hip_right"].array.sum() == 30 * 20 * 10


def test_hips_grown_together_are_cut_in_the_middle():
    labels = np.zeros((40, 30, 60), np.uint16)
    labels[5:35, 5:25, 5:15] = labels[5:35, 5:25, 45:55] = 1
    labels[5:8, 5:8, 15:45] = 1
    found = patches_of(of_array(labels, RAS), {1: "hips"})
    assert found["hip_left"].array.sum() == found["hip_right"].array.sum()


def test_several_labels_of_one_bone_are_joined():
    labels = np.zeros((40, 30, 60), np.uint16)
    labels[5:20, 5:25, 5:15], labels[20:35, 5:25, 5:15] = 25, 26
    (found,) = patches_of(of_array(labels, RAS), {25: "sacrum", 26: "sacrum"}).values()
    assert found.array.sum() == 30 * 20 * 10


def _drawn(labels, spacing=(1.0, 1.0, 1.0)):
    one = of_array(labels, np.diag([*spacing, 1.0]))
    return where_drawn(
        list(patches_of(one, {1: "L3", 2: "L4"} if (labels == 2).any() else {1: "L3"}).values()), one
    )


def _two_boxes():
    labels = np.zeros((70, 60, 60), np.uint16)
    labels[5:30, 10:50, 10:50], labels[40:65, 10:50, 10:50] = 1, 2
    return labels


def test_gaps_between_bones_are_no_gaps_in_the_drawing():
    assert _drawn(_two_boxes()).whole


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_slices_that_were_drawn_on_are_found(axis):
    labels = np.moveaxis(_two_boxes(), 0, 0)
    kept = np.zeros_like(labels)
    taken = [slice(None)] * 3
    taken[2 - axis] = slice(2, None, 5)
    kept[tuple(taken)] = labels[tuple(taken)]
    found = _drawn(kept)
    assert found.axis == axis
    assert set(found.stacks[0].slices) <= set(range(2, 70, 5))


def test_a_single_slice_is_a_drawing_on_one_slice():
    labels = np.zeros_like(_two_boxes())
    labels[:, :, 30] = _two_boxes()[:, :, 30]
    found = _drawn(labels)
    assert (found.axis, list(found.stacks[0].slices)) == (0, [30])


def test_thick_slices_are_taken_slice_by_slice():
    found = _drawn(_two_boxes()[:, :, ::4], (4.0, 1.0, 1.0))
    assert found.axis == 0
    assert found.words == "drawn on every slice of 4.0 mm"
