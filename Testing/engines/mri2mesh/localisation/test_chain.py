"""Candidates to a spine: which are in line, which are not, and what the sacrum says."""

import numpy as np

from mri2mesh.engines.mri2mesh.localisation.chain import build_chain
from mri2mesh.engines.mri2mesh.localisation.peaks import Peak


def lordosis(n: int) -> np.ndarray:
    """Centre n above S1 on a curved lumbar line, [3] RAS mm, off the midline to the right."""
    return np.array([7.0, 12.0 * np.sin(0.5 * n), 36.0 * n])


def bodies(count: int) -> list[Peak]:
    return [Peak(lordosis(n + 1), 0.9) for n in range(count)]


def discs(count: int) -> list[Peak]:
    return [Peak((lordosis(n) + lordosis(n + 1)) / 2, 0.8) for n in range(count)]


S1 = Peak(lordosis(0), 0.9)


def test_five_bodies_are_in_line_above_the_sacrum():
    chain = build_chain(bodies(5)[::-1], discs(5), [S1])
    assert chain.s1 is S1
    assert all(disc is not None for disc in chain.discs)


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


def test_without_a_sacrum_the_bodies_are_in_line_all_the_same():
    chain = build_chain(bodies(4), discs(5)[1:], [])
    assert chain.s1 is None and len(chain.bodies) == 4


def test_nothing_found_is_an_empty_chain():
    assert build_chain([], [], []).bodies == []
