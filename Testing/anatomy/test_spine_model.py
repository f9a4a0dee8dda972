"""Whole spines: order, sizes, room for every disc, nothing inside anything else."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.anatomy.discs import Endplate
from mri2mesh.anatomy.measures import body_size
from mri2mesh.anatomy.population import SpinePopulation
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions, SpineSample
from mri2mesh.anatomy.spine_plan import draw_plan, fill_spacings
from mri2mesh.anatomy.structures import BELOW, VERTEBRA_LEVELS, disc_name
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.mesh import Mesh

HEALTHY = SpineOptions(top="T12", findings={})
LEVELS = ("T12", "L1", "L2", "L3", "L4", "L5")


@pytest.fixture(scope="module")
def model() -> LumbarSpineModel:
    return LumbarSpineModel.load()


@pytest.fixture(scope="module")
def healthy(model: LumbarSpineModel) -> SpineSample:
    return model.sample(np.random.default_rng(0), HEALTHY)


def depth_inside(mesh: Mesh, other: Mesh) -> float:
    low, high = other.vertices.min(0), other.vertices.max(0)
    near = mesh.vertices[((mesh.vertices > low) & (mesh.vertices < high)).all(axis=1)]
    return max(0.0, -float(signed_distance(near, other).min())) if len(near) else 0.0


def test_spine_has_every_level_and_every_disc(healthy: SpineSample) -> None:
    expected = {*LEVELS, "S1", "sacrum", *(disc_name(level) for level in LEVELS)}
    assert set(healthy.structures) == expected == set(healthy.frames)
    assert healthy.notes == []


def test_structures_are_closed_and_outward(healthy: SpineSample) -> None:
    for name, mesh in healthy.structures.items():
        assert is_watertight(mesh), name
        assert volume_mm3(mesh) > 1000, name


def test_levels_stand_one_above_the_other_facing_forward(healthy: SpineSample) -> None:
    heights = [healthy.frames[level][2, 3] for level in (*LEVELS, "S1")]
    assert (np.diff(heights) < -20).all()
    for level in LEVELS:
        frame, mesh = healthy.frames[level], healthy.structures[level]
        assert np.linalg.det(frame[:3, :3]) == pytest.approx(1)
        spinous = mesh.vertices[mesh.regions == Region.SPINOUS].mean(0)
        assert spinous[1] < frame[1, 3] - 20  # posterior
        right, left = (
            mesh.vertices[mesh.regions == r].mean(0)
            for r in (Region.TRANSVERSE_RIGHT, Region.TRANSVERSE_LEFT)
        )
        assert right[0] > left[0] + 30


def test_discs_lie_between_their_vertebrae_and_not_in_bone(healthy: SpineSample) -> None:
    for upper in LEVELS:
        disc = healthy.structures[disc_name(upper)]
        lower = "sacrum" if upper == "L5" else BELOW[upper]
        assert self_intersections(disc) == 0
        for bone in (healthy.structures[upper], healthy.structures[lower]):
            assert depth_inside(disc, bone) < 0.3, upper
            assert depth_inside(bone, disc) < 0.3, upper


def test_neighbouring_bones_do_not_run_into_each_other(healthy: SpineSample) -> None:
    for upper in LEVELS:
        pair = healthy.structures[upper], healthy.structures["sacrum" if upper == "L5" else BELOW[upper]]
        assert max(depth_inside(*pair), depth_inside(*pair[::-1])) < 0.5, upper


def test_disc_heights_are_the_planned_ones(model: LumbarSpineModel) -> None:
    plan = draw_plan(model.population, np.random.default_rng(0), spread=0.0)
    spine = model.build(plan, np.random.default_rng(0), top="L2")
    for level in ("L2", "L3", "L4"):
        gap = _endplate_distance(spine.structures[level], spine.structures[BELOW[level]])
        assert gap == pytest.approx(plan.disc_heights[VERTEBRA_LEVELS.index(level)], abs=1.2)


def _endplate_distance(upper: Mesh, lower: Mesh) -> float:
    above, below = Endplate.of(upper, Region.INFERIOR_ENDPLATE), Endplate.of(lower, Region.SUPERIOR_ENDPLATE)
    up = above.normal + below.normal
    return float((above.centre - below.centre) @ up / np.linalg.norm(up))


def test_body_heights_are_the_planned_ones(model: LumbarSpineModel) -> None:
    plan = draw_plan(model.population, np.random.default_rng(4))
    spine = model.build(plan, np.random.default_rng(0), top="L3")
    for level in ("L3", "L4"):
        local = spine.structures[level].transformed(np.linalg.inv(spine.frames[level]))
        assert body_size(local)[2] == pytest.approx(plan.body_heights[VERTEBRA_LEVELS.index(level)], rel=0.03)


def test_same_seed_gives_the_same_spine_and_another_seed_another(
    model: LumbarSpineModel, healthy: SpineSample
) -> None:
    again = model.sample(np.random.default_rng(0), HEALTHY)
    other = model.sample(np.random.default_rng(1), SpineOptions(top="L3", findings={}))
    assert np.array_equal(again.structures["L4"].vertices, healthy.structures["L4"].vertices)
    assert not np.allclose(other.structures["L4"].vertices, healthy.structures["L4"].vertices, atol=1.0)


def test_canal_runs_behind_the_bodies_and_touches_no_bone(healthy: SpineSample) -> None:
    line, radius = healthy.canal.centreline, healthy.canal.radius
    assert (np.diff(line[:, 2]) < 0).mean() > 0.9
    assert ((radius >= 4.5) & (radius <= 11)).all()
    for level in LEVELS:
        assert (signed_distance(line, healthy.structures[level]) > 2.0).all(), level


def test_requested_finding_is_drawn_and_noted(model: LumbarSpineModel) -> None:
    spine = model.sample(np.random.default_rng(2), SpineOptions(top="L3", findings={"listhesis": 1.0}))
    assert any("listhesis" in note for note in spine.notes)


def test_about_a_third_of_spines_have_a_finding() -> None:
    healthy = np.prod([1 - p for p in SpineOptions().findings.values()])
    assert 0.3 < 1 - healthy < 0.45


def test_unknown_finding_and_level_are_refused(model: LumbarSpineModel) -> None:
    with pytest.raises(InputError, match="gout"):
        model.sample(np.random.default_rng(0), SpineOptions(findings={"gout": 1.0}))
    with pytest.raises(InputError, match="C7"):
        model.sample(np.random.default_rng(0), SpineOptions(top="C7", findings={}))


def test_spacing_is_made_up_of_half_a_body_a_disc_and_half_a_body() -> None:
    spacings = SpinePopulation.load().mean_posture.spacings
    disc = np.linspace(4, 10, 11)
    bodies, discs = fill_spacings(spacings, None, disc)
    assert (bodies[:-1] + bodies[1:]) / 2 + discs[:-1] == pytest.approx(spacings, abs=1e-6)
    assert discs == pytest.approx(disc, abs=0.3)
