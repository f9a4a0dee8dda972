"""All checks of a reconstruction together: each structure gets each of its checks, and the right ones fail."""

from itertools import pairwise

import numpy as np
import pytest

from engines.mri2mesh.quality.painted_spine import NAMES, PaintedSpine
from engines.mri2mesh.quality.wrong_surfaces import axes, moved
from mri2mesh.anatomy.regions import is_body
from mri2mesh.engines.mri2mesh.quality.checks import check_reconstruction
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check

OF_EACH = ("closed surface", "field of view", "edge agreement", "tissue inside", "tissue outside")
OF_A_VERTEBRA = ("directions", "canal behind the body", "height against neighbours")
UPPERMOST = ("L1", "L1-L2", "L2", "L2-L3")


@pytest.fixture(scope="module")
def of_the_truth(spine: PaintedSpine) -> list[Check]:
    return check_reconstruction(list(spine.structures.values()), spine.volume, spine.evidence)


def failed(checks: list[Check]) -> set[tuple[str | None, str]]:
    return {(check.structure, check.name) for check in checks if not check.passed}


def test_true_surfaces_pass_all_checks(of_the_truth):
    assert failed(of_the_truth) == set()


def test_every_structure_gets_every_check_once(of_the_truth):
    made = [(check.structure, check.name) for check in of_the_truth]
    assert len(made) == len(set(made))
    vertebrae = [name for name in NAMES if "-" not in name and name != "S1"]
    wanted = {(name, check) for name in NAMES for check in OF_EACH}
    wanted |= {(name, check) for name in vertebrae for check in OF_A_VERTEBRA}
    wanted |= {(name, "disc in its place") for name in NAMES if "-" in name}
    wanted |= {(f"{a}, {b}", "order and spacing") for a, b in pairwise(vertebrae)}
    assert wanted <= set(made)
    assert {name for _, name in set(made) - wanted} == {"neighbours apart"}


def test_checks_come_in_the_order_of_the_structures(of_the_truth):
    first = [check.structure for check in of_the_truth if check.name in OF_EACH]
    assert first == [name for name in NAMES for _ in OF_EACH]


def test_values_lie_on_the_good_side_of_their_thresholds(of_the_truth):
    """For a reader of the report: value and threshold must agree with the verdict."""
    at_least = {"field of view", "edge agreement", "tissue inside", "directions"}
    at_most = {
        "closed surface",
        "tissue outside",
        "canal behind the body",
        "neighbours apart",
        "disc in its place",
    }
    for check in of_the_truth:
        if check.name in at_least:
            assert check.value >= check.threshold, check
        elif check.name in at_most:
            assert check.value <= check.threshold, check
        assert check.detail


def cut_above(spine: PaintedSpine, share: float) -> Volume:
    """The image, ending where this share of L1's body is below the end."""
    mesh = spine.mesh("L1")
    height = np.quantile(mesh.vertices[is_body(mesh.regions)][:, 2], share)
    rows = int(np.round(spine.volume.ijk_from_ras(np.array([0.0, 0.0, height]))[2])) + 1
    return Volume(spine.volume.array[:rows], spine.volume.ijk_to_ras)


@pytest.mark.parametrize(("share", "passes"), [(0.55, False), (0.75, True)])
def test_a_body_that_the_field_cuts_fails_when_more_than_a_third_is_outside(spine, share, passes):
    structures = spine.with_meshes({}, UPPERMOST)
    volume = cut_above(spine, share)
    checks = {
        check.structure: check
        for check in check_reconstruction(structures, volume, spine.evidence)
        if check.name == "field of view"
    }
    assert checks["L1"].passed is passes
    assert abs(checks["L1"].value - share) < 0.06
    assert checks["L1"].threshold == 0.65
    assert f"{100 * checks['L1'].value:.0f}% of the body is within the image" in checks["L1"].detail
    assert checks["L2-L3"].passed
    assert checks["L2-L3"].value == 1
    assert "of the disc" in checks["L2-L3"].detail


@pytest.mark.parametrize(("into_mm", "passes"), [(1.5, False), (0.3, True)])
def test_structures_that_run_into_each_other_fail(spine, into_mm, passes):
    """The disc moved up: true neighbours touch."""
    disc = moved(spine.mesh("L2-L3"), up=into_mm)
    checks = check_reconstruction(spine.with_meshes({"L2-L3": disc}, UPPERMOST), spine.volume, spine.evidence)
    (check,) = [one for one in checks if one.name == "neighbours apart" and one.structure == "L2, L2-L3"]
    assert check.passed is passes
    assert abs(check.value - into_mm) < 0.4
    assert check.threshold == 0.5
    assert f"L2 and L2-L3 overlap by {check.value:.1f} mm" in check.detail


def test_a_vertebra_found_twice_overlaps_itself_and_is_out_of_order(spine):
    """The neighbouring level taken for this one: the surface of L2 once more under the name of L1."""
    twice = spine.mesh("L2")
    checks = check_reconstruction(spine.with_meshes({"L1": twice}, UPPERMOST), spine.volume, spine.evidence)
    assert {("L1, L2", "neighbours apart"), ("L1, L2", "order and spacing")} <= failed(checks)
    assert [one.structure for one in checks if one.name in OF_EACH] == [
        name for name in UPPERMOST for _ in OF_EACH
    ]
    assert np.linalg.norm(axes(twice)[0] - axes(spine.mesh("L1"))[0]) > 25
