"""Candidates to a spine: which are in line, which are not, and what the sacrum says."""

import numpy as np

from mri2mesh.engines.mri2mesh.localisation.chain import build_chain
from mri2mesh.engines.mri2mesh.localisation.levels import level_names, level_warning
from mri2mesh.engines.mri2mesh.localisation.peaks import Peak


def lordosis(n: int) -> np.ndarray:
    """Centre n above S1 on a curved lumbar line, [3] RAS mm, off the midline to the right."""
    return np.array([7.0, 12.0 * np.sin(0.5 * n), 36.0 * n])


def bodies(count: int) -> list[Peak]:
    return [Peak(lordosis(n + 1), 0.9) for n in range(count)]


def discs(count: int) -> list[Peak]:
    return [Peak((lordosis(n) + lordosis(n + 1)) / 2, 0.8) for n in range(count)]


S1 = Peak(lordosis(0), 0.9)


def test_five_bodies_above_the_sacrum_are_l5_to_l1():
    chain = build_chain(bodies(5)[::-1], discs(5), [S1])
    assert chain.s1 is S1
    assert level_names(chain) == ["L5", "L4", "L3", "L2", "L1"]
    assert all(disc is not None for disc in chain.discs)
    assert level_warning(chain, 0) is None


def test_spinous_processes_behind_the_bodies_are_left_out():
    spinous = [Peak(lordosis(n + 1) + [0, -60, -12], 0.6) for n in range(5)]
    chain = build_chain(bodies(5) + spinous, discs(5), [S1])
    assert len(chain.bodies) == 5
    assert all(abs(body.centre[1]) < 20 for body in chain.bodies)


def test_a_lone_blob_far_away_is_left_out():
    chain = build_chain([*bodies(5), Peak(np.array([60.0, 90.0, 500.0]), 0.95)], discs(5), [S1])
    assert len(chain.bodies) == 5


def test_a_weak_body_with_discs_around_it_stays_in_line():
    weak = bodies(5)
    weak[2] = Peak(weak[2].centre, 0.2)
    assert len(build_chain(weak, discs(5), [S1]).bodies) == 5


def test_without_a_sacrum_the_lowest_is_called_l5_and_the_user_is_warned():
    chain = build_chain(bodies(4), discs(5)[1:], [])
    assert chain.s1 is None
    assert level_names(chain)[0] == "L5"
    assert "--level-shift" in (level_warning(chain, 0) or "")


def test_one_number_corrects_all_levels():
    chain = build_chain(bodies(5), discs(5), [S1])
    assert level_names(chain, 1) == ["L4", "L3", "L2", "L1", "T12"]
    assert level_names(chain, -1) == [None, "L5", "L4", "L3", "L2"]


def test_bodies_that_a_shift_leaves_without_a_name_are_counted():
    chain = build_chain(bodies(5), discs(5), [S1])
    assert level_warning(chain, 1) == "levels were shifted by +1 as asked"
    assert (level_warning(chain, -1) or "").endswith(
        "as asked: 1 body beyond T7 to L5 left out, with the discs"
    )
    assert "3 bodies" in (level_warning(chain, 9) or "")


def test_nothing_found_is_an_empty_chain():
    assert build_chain([], [], []).bodies == []
