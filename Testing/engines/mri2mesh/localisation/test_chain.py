"""Candidates to a spine: which are in line, which are not, and what the sacrum says."""

from itertools import pairwise

import numpy as np
import pytest

from mri2mesh.anatomy.population import SpinePopulation
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


def between(lower: int, upper: int, score: float) -> Peak:
    """A candidate in the middle of two neighbouring bodies, where the disc is."""
    return Peak((lordosis(lower) + lordosis(upper)) / 2 + [0, 2.0, 0], score)


@pytest.mark.parametrize("where", [1, 2, 3, 4])
def test_a_second_body_between_two_neighbours_is_not_taken(where):
    extra = between(where, where + 1, 0.95)
    more_discs = [
        Peak((extra.centre + lordosis(n)) / 2, 0.9) for n in (where, where + 1)
    ]  # each side of it looks like a disc
    chain = build_chain([*bodies(5), extra], discs(5) + more_discs, [S1])
    assert [tuple(body.centre) for body in chain.bodies] == [tuple(body.centre) for body in bodies(5)]


def test_the_second_body_is_taken_where_the_steps_do_not_matter(monkeypatch):
    """The same scene with nothing charged for uneven steps: the test above can fail."""
    monkeypatch.setattr("mri2mesh.engines.mri2mesh.localisation.chain.UNEVEN_COST", 0.0)
    extra = between(2, 3, 0.95)
    more_discs = [Peak((extra.centre + lordosis(n)) / 2, 0.9) for n in (2, 3)]
    assert len(build_chain([*bodies(5), extra], discs(5) + more_discs, [S1]).bodies) == 6


def test_a_collapsed_body_stays_in_line():
    line = [lordosis(n + 1) for n in range(6)]
    line = [
        *line[:3],
        *(centre - [0, 0, 11.0] for centre in line[3:]),
    ]  # the fourth has lost most of its height
    seen = [Peak(centre, 0.8) for centre in line]
    discs_seen = [Peak((a + b) / 2, 0.7) for a, b in pairwise(line)]
    assert len(build_chain(seen, discs_seen, [S1]).bodies) == 6


def test_a_steep_l5_close_to_the_sacrum_stays_in_line():
    line = bodies(5)
    steep = Peak(S1.centre + np.array([0.0, 20.0, 18.0]), 0.9)
    above = [Peak(body.centre + [0, 14.0, -16.0], 0.9) for body in line[1:]]
    chain = build_chain([steep, *above], [], [S1])
    assert len(chain.bodies) == 5
    assert chain.s1 is S1


def test_random_spines_of_the_population_are_drawn_whole_and_no_further():
    """Postures of the population, cropped at either end, with misplaced centres, dim bodies and false ones."""
    population, rng = SpinePopulation.load(), np.random.default_rng(5)
    right = 0
    for _ in range(100):
        centres = population.sample(rng).centres[::-1]  # L5 first
        step = centres[1] - centres[0]
        sacrum = centres[0] - step * rng.uniform(0.75, 1.05) - [0, rng.uniform(5, 20), 0]
        first, last = int(rng.integers(0, 2)), int(rng.integers(6, len(centres) + 1))
        true = [Peak(c + rng.normal(0, 1.5, 3), rng.uniform(0.45, 0.95)) for c in centres[first:last]]
        discs_seen = [
            Peak((a + b) / 2 + rng.normal(0, 1.5, 3), rng.uniform(0.3, 0.9))
            for a, b in zip(centres[first:last], centres[first + 1 : last], strict=False)
        ]
        n = int(rng.integers(1, len(true) - 1))
        false = [Peak((true[n].centre + true[n - 1].centre) / 2 + rng.normal(0, 2, 3), rng.uniform(0.3, 0.8))]
        false += [Peak(true[n].centre + [0, -55.0, -8.0], 0.6)]
        s1 = [Peak(sacrum, 0.8)] if first == 0 else []
        chain = build_chain([*true, *false], discs_seen, s1)
        right += [id(body) for body in chain.bodies] == [id(body) for body in true]
    assert right >= 99
