"""How probable each count of the levels is, from the places of the bodies alone."""

import numpy as np
import pytest

from mri2mesh.anatomy.level_counts import LOWEST, count_probabilities, steps_and_directions
from mri2mesh.anatomy.population import SpinePopulation
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS

POPULATION = SpinePopulation.load()


def row(lowest: str, count: int, centres: np.ndarray) -> np.ndarray:
    """So many bodies up from the lowest, from head to foot."""
    end = VERTEBRA_LEVELS.index(lowest) + 1
    return centres[end - count : end]


@pytest.mark.parametrize("lowest", LOWEST)
def test_the_mean_spine_is_counted_rightly_wherever_the_image_ends(lowest: str) -> None:
    found = count_probabilities(row(lowest, 6, POPULATION.mean_posture.centres))
    assert sum(found.values()) == pytest.approx(1)
    assert max(found, key=lambda name: found[name]) == lowest


def test_what_is_stated_is_how_often_it_is_right() -> None:
    """Over people of the population: a count that is called 70% probable is right in about 70% of them."""
    rng = np.random.default_rng(3)
    stated, right = [], []
    for number in range(300):
        lowest = LOWEST[number % len(LOWEST)]
        centres = row(lowest, 6, POPULATION.sample(rng).centres) + rng.normal(0, 1.0, (6, 3))
        found = count_probabilities(centres)
        best = max(found, key=lambda name: found[name])
        stated.append(found[best])
        right.append(best == lowest)
    assert np.mean(right) > 0.5  # one in five by chance
    assert np.mean(stated) == pytest.approx(np.mean(right), abs=0.08)
    sure = np.array(stated) > np.median(stated)
    assert np.mean(np.array(right)[sure]) > np.mean(np.array(right)[~sure]) + 0.1


def test_the_place_in_the_scanner_does_not_matter() -> None:
    centres = row("L3", 6, POPULATION.mean_posture.centres)
    moved = count_probabilities(centres + [120.0, -300.0, 500.0])
    assert moved == pytest.approx(count_probabilities(centres))


def test_a_step_forwards_is_positive_whatever_lies_sideways() -> None:
    steps, directions = steps_and_directions(np.array([[0.0, 0, 0], [0, 10, -10], [12, 10, -26]]))
    np.testing.assert_allclose(steps, [np.sqrt(200), 20])
    np.testing.assert_allclose(directions, [45, 0])


@pytest.mark.parametrize("count", [0, 2, 16])
def test_too_few_or_too_many_bodies_say_nothing(count: int) -> None:
    centres = np.array([[0.0, 0, -30 * n] for n in range(count)]).reshape(-1, 3)
    assert set(count_probabilities(centres).values()) == {1 / len(LOWEST)}


def test_a_long_row_is_not_sure_only_because_no_other_count_has_names_for_all_of_it() -> None:
    """Ten bodies that end with L4 and one above T7: were T7 taken for the last level there is, L5 would be certain."""
    centres = row("L4", 10, POPULATION.mean_posture.centres)
    above = 2 * centres[0] - centres[1]
    found = count_probabilities(np.vstack([above, centres]))
    assert max(found, key=lambda name: found[name]) == "L4"
    assert found["L5"] < 0.5


def test_a_whole_spine_from_t7_to_l5_is_still_counted_rightly() -> None:
    found = count_probabilities(POPULATION.mean_posture.centres)
    assert max(found, key=lambda name: found[name]) == "L5"
    assert found["L5"] > 0.5


def test_long_rows_of_many_people_are_right_as_often_as_stated() -> None:
    rng = np.random.default_rng(5)
    stated, right = [], []
    for number in range(120):
        lowest = ("L5", "L4", "L3")[number % 3]
        people = POPULATION.sample(rng).centres
        centres = row(lowest, VERTEBRA_LEVELS.index(lowest) + 1, people)
        above = 2 * centres[0] - centres[1] + rng.normal(0, 1.0, 3)
        long = np.vstack([above, centres + rng.normal(0, 1.0, centres.shape)])
        found = count_probabilities(long)
        best = max(found, key=lambda name: found[name])
        stated.append(found[best])
        right.append(best == lowest)
    assert np.mean(right) > 0.5
    assert np.mean(stated) < np.mean(right) + 0.1
