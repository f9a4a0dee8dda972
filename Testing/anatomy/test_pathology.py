"""Findings: each changes what it says, by as much as it says, and is written down."""

from __future__ import annotations

import numpy as np
import pytest

from anatomy.lathe import puck_vertebra, volume_mm3
from mri2mesh.anatomy import pathology
from mri2mesh.anatomy.deformities import deform
from mri2mesh.anatomy.population import SpinePopulation
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.spine_plan import LEAST_DISC_MM, Deformity, SpinePlan, draw_plan
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh

L3, L4 = VERTEBRA_LEVELS.index("L3"), VERTEBRA_LEVELS.index("L4")


@pytest.fixture()
def plan() -> SpinePlan:
    return draw_plan(SpinePopulation.load(), np.random.default_rng(0), spread=0.0)


def heights(mesh: Mesh, y: float) -> float:
    """Distance of the endplates near this y."""
    near = np.abs(mesh.vertices[:, 1] - y) < 1.5
    top, bottom = (mesh.vertices[near & (mesh.regions == r), 2].mean()
                   for r in (Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE))  # fmt: skip
    return float(top - bottom)


def worn(deformity: Deformity) -> Mesh:
    return deform(puck_vertebra(), deformity, np.random.default_rng(1))


def test_wedge_fracture_lowers_the_front_and_not_the_back() -> None:
    mesh = worn(Deformity(wedge=0.3))
    assert heights(mesh, 15.0) == pytest.approx(0.7 * 26, rel=0.03)
    assert heights(mesh, -15.0) == pytest.approx(26, rel=0.03)


def test_biconcave_fracture_lowers_the_middle_and_not_the_rims() -> None:
    mesh = worn(Deformity(biconcave=0.3))
    assert heights(mesh, 0.0) < 0.88 * 26
    assert heights(mesh, 15.0) > 0.92 * 26
    top = mesh.vertices[mesh.regions == Region.SUPERIOR_ENDPLATE]
    assert 26 / 2 - top[:, 2].min() == pytest.approx(0.15 * 26, rel=0.05)


def test_osteophytes_widen_the_rims_and_keep_the_waist() -> None:
    mesh, healthy = worn(Deformity(osteophytes_mm=(4.0, 0.0))), puck_vertebra()
    growth = np.linalg.norm(mesh.vertices - healthy.vertices, axis=1)
    assert 1.0 < growth.max() < 4.2
    assert growth[np.abs(healthy.vertices[:, 2]) < 1].max() < 0.2
    assert growth[healthy.vertices[:, 2] < -10].max() < 0.2
    assert volume_mm3(mesh) > volume_mm3(healthy)


def test_a_healthy_vertebra_is_left_alone() -> None:
    assert np.array_equal(worn(Deformity()).vertices, puck_vertebra().vertices)


def test_wedge_fracture_bends_the_spine_above_forward(plan: SpinePlan) -> None:
    before = plan.posture
    pathology.wedge_fracture(plan, "L1", 0.4)
    assert plan.posture.angles[0, 0] < before.angles[0, 0] - 5
    assert plan.posture.angles[L3:, 0] == pytest.approx(before.angles[L3:, 0])
    assert plan.posture.centres[0, 1] > before.centres[0, 1] + 5  # T7 moved forward
    assert plan.posture.spacings == pytest.approx(before.spacings)


def test_scoliosis_has_its_cobb_angle_and_its_convexity(plan: SpinePlan) -> None:
    before = plan.posture
    pathology.scoliosis(plan, "L1", 30.0, convex_right=True)
    roll = plan.posture.angles[:, 1] - before.angles[:, 1]
    assert roll.max() - roll.min() == pytest.approx(30, abs=1.5)
    x = plan.posture.centres[:, 0] - before.centres[:, 0]
    apex = VERTEBRA_LEVELS.index("L1")
    assert x[apex] > x[apex - 3] + 3 and x[apex] > x[apex + 3] + 3
    turned = plan.posture.rotations[apex][:, 1]
    assert (
        turned[0] > before.rotations[apex][:, 1][0] + 0.1
    )  # the body turns to the right, towards the convexity


def test_listhesis_moves_the_level_forward_in_proportion(plan: SpinePlan) -> None:
    pathology.listhesis(plan, "L4", 0.2)
    assert plan.slips_mm[L4] == pytest.approx(0.2 * 33, rel=0.05)
    assert plan.deformities[L4].arch_shift_mm == plan.slips_mm[L4]
    assert "anterolisthesis L4 on L5, 20%" in plan.notes


def test_collapsed_disc_loses_height_but_never_vanishes(plan: SpinePlan) -> None:
    before = plan.disc_heights.copy()
    pathology.disc_collapse(plan, "L4-L5", 0.4)
    assert plan.disc_heights[L4] == pytest.approx(0.4 * before[L4])
    for _ in range(5):
        pathology.disc_collapse(plan, "L4-L5", 0.3)
    assert plan.disc_heights[L4] == LEAST_DISC_MM


def test_parameters_beyond_their_bounds_are_cut(plan: SpinePlan) -> None:
    pathology.wedge_fracture(plan, "L2", 3.0)
    pathology.disc_bulge(plan, "L3-L4", 20.0, 50.0, 300.0)
    pathology.listhesis(plan, "L5", 2.0)
    assert plan.deformities[L3 - 1].wedge == pathology.MAX_WEDGE
    assert plan.bulges[L3].around_mm == 3 and plan.bulges[L3].focal_mm == 7
    assert plan.slips_mm[-1] <= pathology.MAX_SLIP * 33


@pytest.mark.parametrize("name", pathology.FINDINGS)
def test_every_random_finding_is_written_into_the_notes(plan: SpinePlan, name: str) -> None:
    pathology.FINDINGS[name](plan, np.random.default_rng(3))
    assert plan.notes


def test_unknown_level_is_refused(plan: SpinePlan) -> None:
    with pytest.raises(InputError, match="L9"):
        pathology.wedge_fracture(plan, "L9", 0.2)
