"""Which label is which bone."""

from __future__ import annotations

import numpy as np
import pytest

from engines.segmentation.painted import of_array
from mri2mesh.engines.segmentation.declaration import NUMBERINGS as DECLARED
from mri2mesh.engines.segmentation.numbering.choosing import parse_segments, take
from mri2mesh.engines.segmentation.numbering.names import structure_of
from mri2mesh.engines.segmentation.numbering.presets import NUMBERINGS
from mri2mesh.errors import InputError

MATRIX = np.diag([2.0, 2.0, 2.0, 1.0])


def column(labels: list[int], wide: int = 40, tall: int = 14, gap: int = 4):
    """Boxes one above the other, the first label lowest: 80 mm wide and deep, 28 mm tall, as vertebrae are."""
    array = np.zeros((len(labels) * (tall + gap) + gap, wide + 6, wide + 6), np.uint16)
    for place, label in enumerate(labels):
        low = gap + place * (tall + gap)
        array[low : low + tall, 3:-3, 3:-3] = label
    return of_array(array, MATRIX)


def test_what_is_declared_is_what_there_is():
    assert {key: one.title for key, one in NUMBERINGS.items()} | {
        "mri2mesh": "this extension's own"
    } == DECLARED


@pytest.mark.parametrize(
    ("labels", "preset", "expected"),
    [
        ([24, 23, 22, 21], "verse", {24: "L5", 21: "L2"}),
        ([45, 44, 43, 42, 41], "totalspineseg", {45: "L5", 41: "L1"}),
        ([27, 28, 29, 30, 31, 32], "totalsegmentator", {27: "L5", 32: "T12"}),
        ([2, 3, 4, 5, 6, 7], "vertebrae_mr", {2: "L5", 7: "T12"}),
    ],
)
def test_numberings_are_told_apart_by_order_and_size(labels, preset, expected):
    taken = take(column(labels))
    assert NUMBERINGS[preset].title in taken.how
    assert expected.items() <= taken.bones.items()


def test_a_stack_that_runs_the_wrong_way_fits_no_numbering():
    with pytest.raises(InputError, match="no numbering that is known fits the labels 21, 22, 23, 24"):
        take(column([21, 22, 23, 24]))


def test_labels_that_nobody_knows_are_named_in_the_message():
    with pytest.raises(InputError, match="fits the labels 240, 241: say what the labels are with --segments"):
        take(column([240, 241]))


def test_the_user_has_the_last_word():
    taken = take(column([24, 23, 22]), None, ("24=L4", "23=L3", "22=none"))
    assert taken.bones == {23: "L3", 24: "L4"}
    assert taken.left_out == {22: "none"}
    assert take(column([24, 23, 22]), "verse", ("22=T12",)).bones == {22: "T12", 23: "L4", 24: "L5"}


def test_leaving_some_out_says_nothing_of_the_others():
    labels = list(range(24, 19, -1))  # L5 to L1 in VerSe
    everything = take(column(labels))
    some = take(column(labels), segments=("24=none", "20=none"))
    assert some.bones == {label: name for label, name in everything.bones.items() if label not in (20, 24)}


def test_a_mask_with_one_label_says_nothing_of_what_it_is():
    with pytest.raises(
        InputError, match="the only label is 1, as in any mask: say what it is with --segments"
    ):
        take(column([1]))
    assert take(column([1]), None, ("1=L3",)).bones == {1: "L3"}


def test_known_numbers_of_an_impossible_size_are_said_to_be_of_it():
    small = np.zeros((20, 20, 20), np.uint16)
    small[8:10, 8:10, 8:10] = 22
    with pytest.raises(
        InputError, match=r"in that of VerSe L3 is only 7 mm across: too small .*: check the voxels' size"
    ):
        take(of_array(small, MATRIX))


def test_two_meanings_of_one_label_are_refused():
    with pytest.raises(InputError, match="says two things of label 22: L3 and L4"):
        parse_segments(("22=L3", "22=L4"))


@pytest.mark.parametrize("wrong", ["L5", "x=L5", "3=liver", "3="])
def test_a_segment_that_says_nothing_is_refused(wrong):
    with pytest.raises(InputError, match="--segments"):
        parse_segments((wrong,))


def test_a_segment_that_is_not_there_is_named():
    with pytest.raises(InputError, match="names label 7, which the label map does not have: it has 23, 24"):
        take(column([24, 23]), None, ("7=L5",))


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("vertebrae_L3", "L3"),
        ("L3 vertebra", "L3"),
        ("Disc L4-L5", "L4-L5"),
        ("disc_L5_S", "L5-S1"),
        ("hip_left", "hip_left"),
        ("Right hip bone", "hip_right"),
        ("femur_right", "femur_right"),
        ("Sacrum", "sacrum"),
        ("hips", "hips"),
        ("spine", "vertebrae"),
        ("L1:L5", "L1:L5"),
        ("L5:L1", None),
        ("anterior iliac spine", None),
        ("L5 nerve root", None),
        ("spinal canal", None),
        ("liver", None),
        ("vertebrae_C7", None),
    ],
)
def test_names_of_segments_say_what_they_are(name, structure):
    assert structure_of(name) == structure


def test_a_vertebra_that_cannot_be_one_is_said_to_be_too_large():
    from mri2mesh.engines.segmentation.numbering.sizes import size_doubt

    assert size_doubt("L3", np.array([[0, 0, 0], [90, 80, 45]])) is None
    assert (
        size_doubt("L3", np.array([[0, 0, 0], [300, 80, 45]]))
        == "L3 is 300 mm wide: too wide for what it is called"
    )
    assert "too small" in str(size_doubt("hip_left", np.array([[0, 0, 0], [9, 9, 9]])))
