"""Each check of a fit to radiographs on both sides of its limit, and what it says."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from geometry.solids import sphere
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.xray_fit.checks import (
    COARSE_MM,
    MAX_NOT_SEEN,
    MIN_AGREEMENT,
    MIN_COARSE_AGREEMENT,
    check_fit,
    diverged,
    seen_all_over,
    side,
    unambiguous,
)
from mri2mesh.reconstruction import Check, ReconstructedStructure

MODES = 20


def bone(seen: float = 1.0, mirrored: bool = False, name: str = "femur_left") -> ReconstructedStructure:
    """A ball of which this share is in view."""
    mesh = sphere(20.0)
    if mirrored:
        mesh = mesh.with_vertices(mesh.vertices * [-1, 1, 1])
    count = len(mesh.vertices)
    support = (np.arange(count) < round(seen * count)).astype(np.float32)
    return ReconstructedStructure(STRUCTURES[name], mesh, np.ones(count, np.float32), support)


def checks(**changed: object) -> list[Check]:
    """Those of a good fit in two views with landmarks and a mask, but for what is changed."""
    good: dict[str, object] = {
        "structures": [bone()],
        "agreement": [0.9, 0.8],
        "coefficients": np.full(MODES, 0.5),
        "turn_deg": 10.0,
        "depth_shift_mm": 15.0,
        "landmarks_mm": [3.0],
        "outlines_mm": [1.0],
    }
    return check_fit(**(good | changed))


def one(name: str, **changed: object) -> Check:
    (found,) = [check for check in checks(**changed) if check.name == name]
    return found


def failed(**changed: object) -> list[str]:
    return [check.name for check in checks(**changed) if not check.passed]


def test_a_good_fit_passes_and_gets_every_check():
    found = checks()
    assert all(check.passed for check in found)
    assert [(check.name, check.structure) for check in found] == [
        ("closed surface", "femur_left"),
        ("field of view", "femur_left"),
        ("agreement with the image", "image 1"),
        ("agreement with the image", "image 2"),
        ("plausible shape", None),
        ("orientation", None),
        ("depth", None),
        ("landmarks", None),
        ("outline", None),
    ]


def test_each_bone_of_several_has_its_own_checks():
    found = checks(structures=[bone(0.4, name="hip_left"), bone()])
    assert [check.structure for check in found[:4]] == ["hip_left", "hip_left", "femur_left", "femur_left"]
    assert [check.structure for check in found if not check.passed] == ["hip_left"]


def test_a_surface_that_is_inside_out_fails():
    assert failed(structures=[bone(mirrored=True)]) == ["closed surface"]


@pytest.mark.parametrize(("seen", "passes"), [(0.45, False), (0.5, True), (0.55, True)])
def test_half_of_a_bone_has_to_be_in_view(seen, passes):
    found = one("field of view", structures=[bone(seen)])
    assert found.passed is passes
    assert found.value == pytest.approx(seen, abs=0.01)
    assert found.threshold == 0.5
    assert found.detail == f"{100 * found.value:.0f}% of the surface falls on usable pixels of an image"


@pytest.mark.parametrize(("value", "passes"), [(0.64, False), (0.65, True), (0.66, True), (math.nan, False)])
def test_one_view_that_does_not_agree_fails_whatever_the_other_does(value, passes):
    found = [check for check in checks(agreement=[0.9, value]) if check.name == "agreement with the image"]
    assert [check.passed for check in found] == [True, passes]
    assert found[0].value == 0.9
    assert found[1].threshold == MIN_AGREEMENT == 0.65
    assert found[1].detail == f"image 2 and the surface's own shadow correlate by {value:.2f}"


def test_coarse_images_are_held_to_their_own_limit():
    assert COARSE_MM == 3.0
    for value, passes in ((0.39, False), (0.41, True)):
        agreement = checks(agreement=[value], least_agreement=MIN_COARSE_AGREEMENT)[2]
        assert agreement.passed is passes
        assert agreement.threshold == 0.4


@pytest.mark.parametrize(("share_of_limit", "passes"), [(0.99, True), (1.01, False)])
def test_a_shape_that_one_in_a_thousand_has_is_the_limit(share_of_limit, passes):
    limit = math.sqrt(chi2.ppf(0.999, MODES))
    coefficients = np.zeros(MODES)
    coefficients[3] = -share_of_limit * limit
    found = one("plausible shape", coefficients=coefficients)
    assert found.passed is passes
    assert found.value == pytest.approx(share_of_limit * limit)
    assert found.threshold == pytest.approx(limit)
    assert found.detail == (
        f"the shape is {found.value:.1f} standard deviations from the mean of {MODES} modes"
    )


@pytest.mark.parametrize(
    ("name", "argument", "limit", "unit"),
    [("orientation", "turn_deg", 60.0, "degrees"), ("depth", "depth_shift_mm", 60.0, "mm")],
)
def test_a_pose_far_from_the_expected_one_fails(name, argument, limit, unit):
    assert failed(**{argument: limit}) == []
    assert failed(**{argument: limit + 1}) == [name]
    found = one(name, **{argument: 42.4})
    assert (found.value, found.threshold) == (42.4, limit)
    assert f"42 {unit}" in found.detail


@pytest.mark.parametrize(
    ("name", "argument", "limit", "words"),
    [
        ("landmarks", "landmarks_mm", 12.0, "the landmarks lie 3.2 mm from where they were picked"),
        ("outline", "outlines_mm", 5.0, "the outline lies 3.2 mm from that of the mask"),
    ],
)
def test_landmarks_and_outlines_are_near_where_they_were_drawn(name, argument, limit, words):
    for value, names in ((limit, []), (limit + 0.1, [name]), (math.nan, [name]), (math.inf, [name])):
        assert failed(**{argument: [value]}) == names
    found = one(name, **{argument: [3.2]})
    assert (found.value, found.threshold) == (3.2, limit)
    assert found.detail == words + ", root mean square at the detector"
    assert [check.value for check in checks(**{argument: [1.0, 2.0]}) if check.name == name] == [1.0, 2.0]


@pytest.mark.parametrize(("spread_mm", "passes"), [(4.9, True), (5.0, True), (5.1, False)])
def test_a_pose_that_another_explains_as_well_is_ambiguous(spread_mm, passes):
    found = unambiguous(spread_mm, apart_mm=31.0, turn_deg=24.0)
    assert found.passed is passes
    assert (found.name, found.value, found.threshold) == ("unambiguous pose", spread_mm, 5.0)
    if passes:
        assert found.detail == "no other pose explains the images about as well"
    else:
        assert "another pose, 24 degrees and 31 mm from this one" in found.detail
        assert found.detail.endswith("explains the images about as well: give a second view or landmarks")


@pytest.mark.parametrize(("mirrored", "passes"), [(0.7, True), (0.815, True), (0.825, False), (0.95, False)])
def test_a_bone_whose_mirror_image_agrees_better_is_of_the_other_side(mirrored, passes):
    found = side(0.8, mirrored)
    assert found.passed is passes
    assert (found.name, found.threshold) == ("side", 0.02)
    assert found.value == pytest.approx(mirrored - 0.8)
    if passes:
        assert found.detail == f"the bone agrees by 0.80, its mirror image by {mirrored:.2f}"
    else:
        assert "mirrored or of the other side" in found.detail
        assert f"({mirrored:.2f} against 0.80)" in found.detail


def test_a_fit_that_diverged_has_failed_and_says_why():
    found = diverged("give landmarks")
    assert found.passed is False
    assert (found.name, found.value, found.threshold) == ("fit converged", 0.0, 1.0)
    assert found.detail == "the fit diverged: give landmarks"


def test_a_bone_of_which_a_part_lies_where_the_image_shows_none_is_marked():
    good, bad = seen_all_over(1, MAX_NOT_SEEN - 0.01), seen_all_over(2, MAX_NOT_SEEN + 0.05)
    assert good.passed
    assert not bad.passed
    assert bad.detail == "image 2 does not show 25% of the surface's shadow where it lies"
    assert not seen_all_over(1, math.nan).passed


def test_a_depth_that_the_geometry_knows_well_may_be_missed_by_less():
    """One view hardly shows depth: a fit three standard deviations from the isocentre is not to be believed."""
    sure, unsure = (one("depth", depth_shift_mm=48.0, depth_sd_mm=sd) for sd in (15.0, 40.0))
    assert not sure.passed and sure.threshold == 45.0
    assert unsure.passed and unsure.threshold == 60.0
