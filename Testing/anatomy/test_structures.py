"""The table of structures: complete, coded, numbered as in VerSe."""

from __future__ import annotations

import pytest

from mri2mesh.anatomy.structures import (
    BELOW,
    DISC_LEVELS,
    LATERALITY,
    STRUCTURES,
    VERTEBRA_LEVELS,
    Structure,
    disc_name,
)


def verhoeff_is_valid(digits: str) -> bool:
    """The check digit every SNOMED CT identifier ends with: Verhoeff's, over the dihedral group D5."""

    def multiply(a: int, b: int) -> int:
        if a < 5:
            return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
        return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5

    permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = permutation[value]
        check = multiply(check, value)
    return check == 0


def test_check_digit_finds_a_mistyped_code() -> None:
    assert verhoeff_is_valid("36470004")
    assert not verhoeff_is_valid("36470005")
    assert not verhoeff_is_valid("36740004")


def test_every_level_has_its_vertebra_and_the_disc_below() -> None:
    spine = {*VERTEBRA_LEVELS, "S1", *DISC_LEVELS}
    assert set(STRUCTURES) == spine | {"hip_left", "hip_right", "sacrum", "femur_left", "femur_right"}
    assert all(STRUCTURES[name].name == name for name in STRUCTURES)
    assert disc_name("T12") == "T12-L1" and disc_name("L5") == "L5-S1"
    with pytest.raises(KeyError):
        disc_name("S1")


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=lambda structure: structure.name)
def test_code_is_a_well_formed_snomed_concept(structure: Structure) -> None:
    assert (
        structure.code.isdigit() and structure.code[-3:-1] == "00"
    )  # 00: a concept of the international edition
    assert verhoeff_is_valid(structure.code)


def test_codes_labels_and_colours_are_all_different() -> None:
    rows = (((s.code, s.side), s.label, s.colour) for s in STRUCTURES.values())
    for values in zip(*rows, strict=True):
        assert len(set(values)) == len(STRUCTURES)


def test_left_and_right_share_a_code_and_differ_in_their_side() -> None:
    for bone in ("hip", "femur"):
        left, right = STRUCTURES[f"{bone}_left"], STRUCTURES[f"{bone}_right"]
        assert left.code == right.code and (left.side, right.side) == ("left", "right")
    assert all(verhoeff_is_valid(code) for code, _ in LATERALITY.values())
    assert all(structure.side is None for name, structure in STRUCTURES.items() if "_" not in name)


def test_labels_are_those_of_verse() -> None:
    expected = {"T7": 14, "T12": 19, "L1": 20, "L5": 24, "S1": 26, "L1-L2": 120, "L5-S1": 124, "T12-L1": 119}
    assert {name: STRUCTURES[name].label for name in expected} == expected


def test_labels_of_pelvis_and_femora_are_those_of_totalsegmentator() -> None:
    expected = {"sacrum": 25, "S1": 26, "femur_left": 75, "femur_right": 76, "hip_left": 77, "hip_right": 78}
    assert {name: STRUCTURES[name].label for name in expected} == expected


def test_kinds_follow_the_names() -> None:
    assert STRUCTURES["L3"].kind == "vertebra" and STRUCTURES["S1"].kind == "sacrum"
    assert all(STRUCTURES[disc_name(upper)].kind == "disc" for upper in BELOW)
