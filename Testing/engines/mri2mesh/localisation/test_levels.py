"""Names for the bodies that were found: by the sacrum, by a vertebra that the user named, or by a guess."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.anatomy.population import SpinePopulation
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.engines.mri2mesh.localisation.chain import Chain
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.localisation.levels import NamedSpine, name_levels
from mri2mesh.engines.mri2mesh.localisation.named_level import parse_level
from mri2mesh.engines.mri2mesh.localisation.peaks import Peak
from mri2mesh.engines.mri2mesh.localisation.spine import SpineFound
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, Heat
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import level_check

MEAN = dict(zip(VERTEBRA_LEVELS, SpinePopulation.load().mean_posture.centres, strict=True))
S1 = MEAN["L5"] + [0.0, -12.0, -32.0]


def image(bottom: float) -> Volume:
    """1 mm, along RAS, from a height upwards past the whole spine."""
    matrix = np.eye(4)
    matrix[:3, 3] = [-100.0, -150.0, bottom]
    height = round(250 - bottom)
    return Volume(np.zeros((height, 250, 200), np.uint8), matrix)


def spine(lowest: str, count: int = 6, room: float = 40.0, sacrum: bool = False) -> SpineFound:
    """The mean person's bodies up from the lowest; the image ends ``room`` mm below the last thing that was found."""
    end = VERTEBRA_LEVELS.index(lowest) + 1
    centres = [MEAN[name] for name in reversed(VERTEBRA_LEVELS[end - count : end])]
    last = S1 if sacrum else centres[0]
    shape = tuple(
        round(mm / spacing)
        for mm, spacing in zip((250 - last[2] + room, 250, 200), SPACING_MM[::-1], strict=True)
    )
    matrix = np.diag([*SPACING_MM, 1.0])
    matrix[:3, 3] = [-100.0, -150.0, last[2] - room]
    evidence = Evidence(
        np.zeros((6, *shape), np.float32),
        np.zeros((len(Heat), *shape), np.float32),
        np.ones(shape, bool),
        matrix,
    )
    frames = []
    for centre in centres:
        frame = np.eye(4)
        frame[:3, 3] = centre
        frames.append(frame)
    chain = Chain(
        [Peak(centre, 0.9) for centre in centres], [None] * count, Peak(S1, 0.9) if sacrum else None
    )
    of_s1 = None
    if sacrum:
        of_s1 = np.eye(4)
        of_s1[:3, 3] = S1
    return SpineFound(chain, frames, of_s1, evidence)


def named(found: SpineFound, level: str | None = None, shift: int = 0) -> NamedSpine:
    return name_levels(found, image(-200.0), parse_level(level) if level else None, shift)


def at(name: str, point: np.ndarray) -> str:
    return f"{name}@" + ",".join(f"{value:.1f}" for value in point)


def test_a_whole_sacrum_fixes_the_count() -> None:
    found = named(spine("L5", 5, sacrum=True))
    assert found.names == ["L5", "L4", "L3", "L2", "L1"] and found.s1 and not found.warnings
    assert found.count.anchor == "sacrum" and found.count.certain and level_check(found.count).passed
    assert found.count.statement == "The levels are counted up from the sacrum."


@pytest.mark.parametrize("room", [2.0, 8.0, 13.0])
def test_a_sacrum_half_in_view_fixes_nothing(room: float) -> None:
    found = named(spine("L5", 5, room=room, sacrum=True))
    assert found.names[0] == "L5" and found.s1
    assert not found.count.certain and "not wholly or not clearly in the image" in found.count.statement
    check = level_check(found.count)
    assert not check.passed and check.structure is None


def test_what_only_resembles_a_sacrum_fixes_nothing() -> None:
    found = spine("L5", 5, sacrum=True)
    unclear = replace(found, chain=replace(found.chain, s1=Peak(S1, 0.7)))
    assert named(found).count.certain and not named(unclear).count.certain


@pytest.mark.parametrize("lowest", ["L5", "L3", "L1"])
def test_without_a_sacrum_the_most_probable_names_are_a_guess_and_say_so(lowest: str) -> None:
    found = named(spine(lowest))
    assert found.names[0] == found.count.lowest == lowest
    assert found.count.anchor == "none" and not found.count.certain
    assert "the sacrum is not in the image" in found.count.statement
    assert f"{lowest} {100 * found.count.probabilities[lowest]:.0f}%" in found.count.statement


def test_the_advice_can_be_pasted_as_it_stands() -> None:
    found = spine("L3")
    advice = named(found).count.advice
    option = advice.split("--level ")[1].split()[0]
    assert named(found, option).names == named(found).names
    assert named(found, option).count.certain


@pytest.mark.parametrize("number", [0, 2, 5])
def test_one_named_vertebra_names_them_all(number: int) -> None:
    found = spine("L3")
    wanted = ["L4", "L3", "L2", "L1", "T12", "T11"]
    result = named(found, at(wanted[number], found.frames[number][:3, 3] + [5.0, 8.0, -6.0]))
    assert result.names == wanted
    assert result.count.anchor == "given" and wanted[number] in result.count.statement


def test_naming_a_vertebra_outweighs_the_sacrum_and_leaves_out_what_cannot_be_it() -> None:
    found = spine("L5", 5, sacrum=True)
    result = named(found, at("L4", MEAN["L5"]))
    assert result.names[0] == "L4" and not result.s1
    assert "sacrum" in result.warnings[0] and "left out" in result.warnings[0]


def test_a_sacrum_that_was_taken_for_l5_can_be_named_s1() -> None:
    found = spine("L5", 5)
    result = named(found, at("S1", found.frames[0][:3, 3]))
    assert result.names == [None, "L5", "L4", "L3", "L2"]
    assert result.count.lowest == "L5"
    assert result.warnings == ["1 body beyond T7 to L5 left out, with the discs"]


def test_the_sacrum_itself_can_be_named() -> None:
    result = named(spine("L5", 5, room=5.0, sacrum=True), at("S1", S1))
    assert result.names[0] == "L5" and result.s1 and result.count.certain


def test_a_point_on_no_body_is_refused_with_how_far_it_is() -> None:
    found = spine("L3")
    with pytest.raises(InputError, match=r"lies \d+ mm from the nearest vertebral body"):
        named(found, at("L3", found.frames[0][:3, 3] + [0.0, -60.0, 0.0]))


def test_one_number_corrects_all_levels() -> None:
    found = spine("L5", 5, sacrum=True)
    up, down = named(found, shift=1), named(found, shift=-1)
    assert up.names == ["L4", "L3", "L2", "L1", "T12"]
    assert up.warnings[0] == "levels were shifted by +1 as asked"
    assert down.names == [None, "L5", "L4", "L3", "L2"]
    assert not up.s1 and not down.s1


def test_a_shift_of_a_guess_stays_a_guess() -> None:
    found = named(spine("L3"), shift=1)
    assert found.names[0] == "L2" and not found.count.certain


def test_level_and_shift_together_are_refused() -> None:
    found = spine("L3")
    with pytest.raises(InputError, match="give one of them"):
        named(found, at("L3", MEAN["L3"]), shift=1)


@pytest.mark.parametrize(("level", "shift"), [(None, 20), (None, -9)])
def test_a_count_that_names_nothing_is_refused(level: str | None, shift: int) -> None:
    with pytest.raises(InputError, match="leaves no vertebra with a name"):
        named(spine("L3"), level, shift)
