"""The uncertainty of measures follows that of the surfaces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measures import blocks
from mri2mesh.measures.definitions import DEFINITIONS
from mri2mesh.measures.measure import Measure
from mri2mesh.measures.stage import measure
from mri2mesh.measures.uncertainty import displaced


def by_key(spread: float, reach: float | None = None) -> dict[str, Measure]:
    made = blocks.reconstruction({"L3": blocks.vertebra()}, spread=spread)
    if reach is not None:
        made = replace(made, provenance={"uncertainty_reach_mm": reach})
    return {"_".join(filter(None, (one.key, one.side))): one for one in measure(made)}


def test_a_height_is_as_uncertain_as_both_its_ends_together():
    """The endplates are 28 mm apart, much farther than an error reaches: each end has 0.8 mm of its own."""
    found = by_key(0.8)
    assert found["body_height_middle"].uncertainty == pytest.approx(0.8 * np.sqrt(2), rel=0.3)


def test_twice_the_uncertainty_of_the_surface_is_twice_that_of_its_lengths():
    one, two = by_key(0.1), by_key(0.2)
    for key in ("body_height_anterior", "canal_depth", "superior_endplate_width", "wedge_angle"):
        assert two[key].uncertainty == pytest.approx(2 * one[key].uncertainty, rel=0.05), key


def test_errors_that_reach_over_the_whole_bone_move_it_and_change_no_length():
    near, far = by_key(1.0), by_key(1.0, reach=1000.0)
    assert far["body_height_middle"].uncertainty < 0.1 < near["body_height_middle"].uncertainty


def test_the_same_surfaces_have_the_same_uncertainty():
    assert by_key(0.5)["wedge_angle"].uncertainty == by_key(0.5)["wedge_angle"].uncertainty


def test_surfaces_without_uncertainty_give_measures_without():
    found = by_key(float("nan"))
    assert found["body_height_middle"].value is not None
    assert all(one.uncertainty is None for one in found.values())


def test_displacements_have_the_spread_that_was_asked_for_and_its_reach():
    points = np.stack([np.linspace(0, 200, 101)] * 3, axis=1) / np.sqrt(3)
    moved = displaced("L3", points, np.full(101, 0.7), reach_mm=10.0, samples=400) - points
    assert moved.std() == pytest.approx(0.7, rel=0.05)
    flat = moved.transpose(1, 0, 2).reshape(101, -1)
    related = np.corrcoef(flat)
    neighbours = np.mean([related[i, i + 5] for i in range(95)])  # 10 mm apart
    far = np.mean([related[i, i + 25] for i in range(75)])
    assert neighbours == pytest.approx(np.exp(-0.5), abs=0.08)
    assert abs(far) < 0.08


def test_every_definition_is_whole():
    for one in DEFINITIONS.values():
        assert one.title and one.source and one.meaning.endswith("."), one.key
        assert one.unit in ("mm", "degrees", "%")
