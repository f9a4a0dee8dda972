"""A row of vertebrae: spacing, order, heights and the discs between them, on templates put where they belong."""

import numpy as np
import pytest

from engines.mri2mesh.quality.wrong_surfaces import stretched_up
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.quality.sequence import body_height, sequence_checks
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check, ReconstructedStructure

SPACING_MM = 34.0


def placed(
    name: str, height_mm: float, stretch: float = 1.0, forwards_mm: float = 0.0
) -> ReconstructedStructure:
    mesh = template(STRUCTURES[name].kind)
    vertices = mesh.vertices * [1, 1, stretch] + [0, forwards_mm, height_mm]
    ones = np.ones(len(vertices), np.float32)
    return ReconstructedStructure(STRUCTURES[name], mesh.with_vertices(vertices), ones, ones)


def row(**stretch: float) -> list[ReconstructedStructure]:
    """L1 to L4, straight; some stretched along their height."""
    return [
        placed(name, -SPACING_MM * n, stretch.get(name, 1.0))
        for n, name in enumerate(("L1", "L2", "L3", "L4"))
    ]


def of(checks: list[Check], name: str) -> dict[str | None, Check]:
    return {check.structure: check for check in checks if check.name == name}


def test_the_height_is_between_the_endplates():
    mesh = template("vertebra")
    assert 20 < body_height(mesh) < 32
    assert np.isclose(
        body_height(mesh.with_vertices(mesh.vertices * [1, 1, 2])), 2 * body_height(mesh), rtol=0.01
    )
    assert np.isclose(body_height(stretched_up(mesh, 5.0)), body_height(mesh) + 5.0, atol=1.0)


@pytest.mark.parametrize(
    ("stretch", "passes", "limit"),
    [(1.0, True, 1.2), (1.15, True, 1.2), (1.25, False, 1.2), (0.6, True, 1.2), (0.45, False, 0.5)],
)
def test_a_body_much_higher_or_less_than_half_as_high_as_its_neighbours_fails(stretch, passes, limit):
    check = of(sequence_checks(row(L2=stretch)), "height against neighbours")["L2"]
    assert check.passed is passes
    assert np.isclose(check.value, stretch, atol=0.01)
    assert check.threshold == limit
    own, others = (body_height(item.mesh) for item in row(L2=stretch)[1:3])
    assert check.detail == f"the body is {own:.0f} mm high, its neighbours {others:.0f} to {others:.0f} mm"


def test_the_highest_body_is_compared_with_those_below_and_the_lowest_with_those_above():
    high = of(sequence_checks(row(L1=1.4)), "height against neighbours")
    low = of(sequence_checks(row(L4=1.4)), "height against neighbours")
    assert [name for name, check in high.items() if not check.passed] == ["L1"]
    assert [name for name, check in low.items() if not check.passed] == ["L4"]


def test_heights_two_levels_away_count_three_do_not():
    """A body between two that are crushed is not too high beside the whole one two levels away."""
    assert of(sequence_checks(row(L3=0.6, L2=0.6)), "height against neighbours")["L4"].value > 1.5
    assert np.isclose(of(sequence_checks(row(L2=0.6, L4=0.6)), "height against neighbours")["L3"].value, 1.0)


def test_a_single_body_has_nothing_to_be_compared_with():
    assert sequence_checks([placed("L3", 0.0)]) == []


@pytest.mark.parametrize(
    ("spacing_mm", "passes", "limit"),
    [(34, True, 52), (17, True, 52), (14, False, 16), (51, True, 52), (54, False, 52)],
)
def test_neighbours_are_a_spine_s_spacing_apart(spacing_mm, passes, limit):
    checks = sequence_checks([placed("L1", 0.0), placed("L2", -spacing_mm)])
    check = of(checks, "order and spacing")["L1, L2"]
    assert check.passed is passes
    assert np.isclose(check.value, spacing_mm)
    assert check.threshold == limit
    assert check.detail == f"the bodies are {spacing_mm} mm apart, 16 to 52 are usual"


def test_the_upper_one_lies_above():
    check = of(sequence_checks([placed("L1", 0.0), placed("L2", 34.0)]), "order and spacing")["L1, L2"]
    assert not check.passed
    assert check.detail == "L1 lies below L2"


def test_a_level_left_out_shows_as_a_gap():
    bodies = row()
    check = of(sequence_checks([bodies[0], bodies[2]]), "order and spacing")["L1, L3"]
    assert not check.passed


@pytest.mark.parametrize(("off_mm", "passes"), [(0.0, True), (11.0, True), (13.0, False)])
def test_a_disc_lies_half_way_between_its_bodies(off_mm, passes):
    centre = body_centre(template("vertebra"))
    own = template("disc").vertices.mean(axis=0)
    half_way = -SPACING_MM / 2 + centre[2] - own[2]
    disc = placed("L1-L2", half_way, forwards_mm=centre[1] - own[1] + off_mm)
    checks = sequence_checks([placed("L1", 0.0), disc, placed("L2", -SPACING_MM)])
    check = of(checks, "disc in its place")["L1-L2"]
    assert check.passed is passes
    assert abs(check.value - off_mm) < 1.0
    assert check.threshold == 12.0
    assert check.detail == f"the disc is {check.value:.0f} mm from half way between L1 and L2"


def test_a_disc_without_one_of_its_bodies_is_not_judged():
    checks = sequence_checks([placed("L1", 0.0), placed("L1-L2", -17.0), placed("L3", -34.0)])
    assert of(checks, "disc in its place") == {}


def body_centre(mesh: Mesh) -> np.ndarray:
    return mesh.vertices[np.isin(mesh.regions, (0, 1, 2))].mean(axis=0)
