"""One label for all vertebrae."""

from __future__ import annotations

import numpy as np
import pytest

from engines.segmentation.painted import of_array
from mri2mesh.engines.segmentation.separate import take_apart
from mri2mesh.errors import InputError

MATRIX = np.diag([2.0, 2.0, 2.0, 1.0])


def spine(boxes: int, touching: bool = False, sacrum: bool = False):
    """Boxes above each other in one label; touching: neighbours are joined by a bridge of a voxel or two, as facets."""
    labels = np.zeros((boxes * 18 + 30, 46, 46), np.uint16)
    for place in range(boxes):
        low = 26 + place * 18
        labels[low : low + 14, 3:-3, 3:-3] = 1
        if touching and place:
            labels[low - 4 : low, 5:7, 5:7] = 1
    if sacrum:
        labels[2:22, 3:-3, 3:-3] = 2
    return of_array(labels, MATRIX)


@pytest.mark.parametrize("touching", [False, True])
def test_separate_vertebrae_are_named_from_above(touching):
    apart, taken = take_apart(spine(3, touching), None, ("1=L2:L4",))
    assert list(taken.bones.values()).count("L3") == 1
    heights = {name: np.argwhere(apart.labels == label)[:, 0].mean() for label, name in taken.bones.items()}
    assert heights["L2"] > heights["L3"] > heights["L4"]
    counts = [int((apart.labels == label).sum()) for label in taken.bones]
    assert max(counts) < 1.01 * min(counts)


def test_above_a_sacrum_they_are_counted_from_l5():
    _, taken = take_apart(spine(3, sacrum=True), None, ("1=vertebrae", "2=sacrum"))
    assert sorted(taken.bones.values()) == ["L3", "L4", "L5", "sacrum"]


def test_without_a_sacrum_the_user_is_asked_which_they_are():
    with pytest.raises(InputError, match=r"holds 3 vertebrae, and nothing says which: .*--segments 1=L3:L5"):
        take_apart(spine(3), None, ("1=vertebrae",))


def test_what_does_not_come_apart_is_said_in_one_line():
    with pytest.raises(
        InputError, match="is not the 4 vertebrae L1 to L4 in separate pieces: give each vertebra"
    ):
        take_apart(spine(3), None, ("1=L1:L4",))
    solid = spine(3).labels.copy()
    solid[26:76, 3:-3, 3:-3] = 1
    with pytest.raises(InputError, match="in separate pieces"):
        take_apart(of_array(solid, MATRIX), None, ("1=L2:L4",))


def test_a_label_that_nobody_asked_for_is_left_out_where_there_are_others():
    labels = spine(3, sacrum=True).labels.copy()
    labels[:, 3:-3, 20:26][labels[:, 3:-3, 20:26] == 0] = 1
    given = of_array(np.where(labels == 1, 19, np.where(labels == 2, 18, 0)).astype(np.uint16), MATRIX)
    apart, taken = take_apart(given, "totalsegmentator_mr")
    assert set(taken.bones.values()) <= {"sacrum", "S1"}
    assert any("label 19" in note for note in taken.notes)
    assert apart is not None
