"""Simulated exams by kind: what is right, what is wrong, and whether the result says so."""

import numpy as np
import pytest

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.anatomy.templates import template
from mri2mesh.errors import InputError
from mri2mesh.evaluation.simulated_mri.by_kind import kind_figures, score_exam
from mri2mesh.evaluation.simulated_mri.kinds import KINDS, SLOPES_DEG, case_of_kind, cut_above, cut_below
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check, LevelCount, ReconstructedStructure, Reconstruction

LEVELS = ("L1", "L2", "L3", "L4", "L5")
STEP_MM = 36.0


def at(place: int, shift: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    mesh = template("vertebra")
    return mesh.with_vertices(
        mesh.vertices + np.array([0, 0, -STEP_MM * place], np.float32) + np.float32(shift)
    )


TRUTHS = {name: at(n) for n, name in enumerate(LEVELS)}


def result(surfaces: dict[str, Mesh], failing: tuple[str, ...] = (), certain: bool = True) -> Reconstruction:
    structures = [
        ReconstructedStructure(
            STRUCTURES[n], m, np.ones(len(m.vertices), np.float32), np.ones(len(m.vertices), np.float32)
        )
        for n, m in surfaces.items()
    ]
    checks = [Check("tissue", 1.0, 0.0, False, "", name) for name in failing]
    return Reconstruction(
        "mri2mesh", structures, checks, levels=LevelCount("sacrum" if certain else "none", "", "L5")
    )


def figures(found: Reconstruction | None):
    (row,) = kind_figures([score_exam("healthy", "exam", found, TRUTHS, LEVELS)])
    return row


def test_the_truth_itself_is_right_in_everything():
    row = figures(result(TRUTHS))
    assert (row.found, row.levels_right, row.guessed) == (5, 1.0, 0.0)
    assert (row.missed, row.doubled, row.wrong, row.surely_wrong) == (0, 0, 0, 0)
    assert row.body_mm < 0.3


def test_levels_off_by_one_are_surely_wrong_unless_they_are_called_a_guess():
    one_too_high = {name: at(n + 1) for n, name in enumerate(LEVELS[:4])}
    assert figures(result(one_too_high)).surely_wrong == 4
    guess = figures(result(one_too_high, certain=False))
    assert (guess.surely_wrong, guess.guessed, guess.levels_right) == (0, 1.0, 0.0)


def test_a_body_passed_over_and_one_found_twice_are_counted():
    assert figures(result({"L1": at(0), "L2": at(1), "L4": at(3)})).missed == 1
    assert figures(result({"L2": at(1), "L3": at(2), "L4": at(2, (0, 0, 3))})).doubled == 1


def test_of_bodies_that_are_wrong_those_that_a_failed_check_names_are_marked():
    surfaces = dict(TRUTHS, L2=at(1, (10, 0, 0)), L4=at(3, (10, 0, 0)))
    row = figures(result(surfaces, failing=("L2, L3",)))
    assert (row.wrong, row.wrong_marked, row.good_marked) == (2, 1, 1)


def test_an_exam_that_was_refused_is_counted_as_such():
    row = figures(None)
    assert (row.refused, row.found) == (1, 0)


def test_cut_exams_lose_what_their_kind_says(case):
    rng = np.random.default_rng(3)
    whole = case.image.array.shape[0]
    below, above = cut_below(case, rng), cut_above(case, rng)
    assert below.image.array.shape[0] < whole > above.image.array.shape[0]
    for part in (below, above):
        np.testing.assert_allclose(
            part.image.ras_from_ijk(np.zeros(3))[:2], case.image.ras_from_ijk(np.zeros(3))[:2]
        )
        assert part.image.array.shape == part.tissues.array.shape
    # The same place holds the same voxel in the part that is left.
    shift = round(below.image.ijk_to_ras[2, 3] - case.image.ijk_to_ras[2, 3])
    np.testing.assert_array_equal(below.image.array, case.image.array[shift:])
    np.testing.assert_array_equal(above.image.array, case.image.array[: above.image.array.shape[0]])


@pytest.fixture
def case():
    from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions
    from mri2mesh.synthesis.mr.case import SyntheticCase

    spine = LumbarSpineModel.load().sample(np.random.default_rng(0), SpineOptions(top="T11", findings={}))
    low = min(mesh.vertices[:, 2].min() for mesh in spine.structures.values())
    matrix = np.eye(4)
    matrix[:3, 3] = (-20, -60, low)
    array = np.random.default_rng(0).random((330, 8, 6)).astype(np.float32)
    image = Volume(array, matrix)
    return SyntheticCase(image, image.with_array((array > 0.5).astype(np.uint8)), spine, {})


@pytest.mark.parametrize("name", SLOPES_DEG)
def test_sloped_spines_have_the_slope_of_their_kind(name):
    from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions
    from mri2mesh.evaluation.simulated_mri.kinds import SlopedSpines

    m = LumbarSpineModel.load()
    spines = SlopedSpines(
        m.population, m.shapes, m.pelves, m.disc_template, slope=KINDS[name].slope or (0, 0)
    )
    spine = spines.sample(np.random.default_rng(1), SpineOptions(top="T12", findings={}))
    up = spine.frames["S1"][:3, 2]
    slope = np.degrees(np.arctan2(up[1], up[2]))
    low, high = SLOPES_DEG[name]
    assert low - 6 <= slope <= high + 6


def test_an_unknown_kind_lists_those_that_there_are(tmp_path):
    with pytest.raises(InputError, match="fracture"):
        case_of_kind("tumour", 0, tmp_path)
