"""Overlapping surfaces are parted: the disc gives way to bone, bones share the way."""

import numpy as np
from scipy.spatial.transform import Rotation

from geometry.solids import sphere
from mri2mesh.anatomy.regions import is_body
from mri2mesh.anatomy.templates import template
from mri2mesh.geometry.checks import is_watertight, self_intersections
from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.interpenetration import penetration_depth
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.quality.neighbours import _maybe_inside, separate, touching_pairs


def ball(centre: tuple[float, float, float], radius: float = 12.0) -> Mesh:
    return sphere(radius, centre)


def test_a_disc_that_runs_into_a_vertebra_is_pushed_out_and_the_bone_stays():
    bone, disc = ball((5, 0, 0)), ball((5, 0, 22))
    before = penetration_depth(bone, disc).depth_mm
    apart = separate({"L4": bone, "L4-L5": disc})
    assert before > 1.5
    assert penetration_depth(apart["L4"], apart["L4-L5"]).depth_mm < 0.3
    assert np.array_equal(apart["L4"].vertices, bone.vertices)


def test_two_bones_share_the_way():
    upper, lower = ball((0, 0, 22.5)), ball((0, 0, 0))
    apart = separate({"L3": upper, "L4": lower})
    assert penetration_depth(apart["L3"], apart["L4"]).depth_mm < 0.3
    moved = [
        np.linalg.norm(apart[n].vertices - m.vertices, axis=1).max()
        for n, m in (("L3", upper), ("L4", lower))
    ]
    assert min(moved) > 0.3


def test_parting_leaves_closed_surfaces_that_do_not_meet_themselves():
    apart = separate({"L4": ball((5, 0, 0)), "L4-L5": ball((5, 0, 21))})
    for mesh in apart.values():
        assert is_watertight(mesh)
        assert self_intersections(mesh) == 0


def test_surfaces_far_apart_are_left_as_they_are():
    meshes = {"L1": ball((0, 0, 100)), "L5": ball((0, 0, 0))}
    assert touching_pairs(meshes) == []
    apart = separate(meshes)
    assert all(np.array_equal(apart[name].vertices, meshes[name].vertices) for name in meshes)


def test_crossing_facets_are_bent_apart_and_bodies_stay():
    lower = template("vertebra")
    upper = lower.with_vertices(lower.vertices + np.array([0, 1.5, 29.0], np.float32))
    before = penetration_depth(upper, lower).depth_mm
    apart = separate({"L3": upper, "L4": lower})
    assert before > 2.0
    assert penetration_depth(apart["L3"], apart["L4"]).depth_mm < 0.3
    for name, mesh in (("L3", upper), ("L4", lower)):
        body = is_body(mesh.regions)
        moved = np.linalg.norm(apart[name].vertices - mesh.vertices, axis=1)[body]
        assert moved.mean() < 0.05
        assert moved.max() < 1.0
        assert self_intersections(apart[name]) == 0


def test_a_surface_too_tangled_to_smooth_is_brought_back_towards_the_template():
    disc = template("disc")
    crumpled = disc.vertices + np.random.default_rng(1).normal(0, 6, disc.vertices.shape).astype(np.float32)
    mended = separate({"L1-L2": disc.with_vertices(crumpled)})["L1-L2"]
    assert self_intersections(mended) == 0
    assert np.linalg.norm(mended.vertices.mean(0) - disc.vertices.mean(0)) < 2.0


def test_a_deep_overlap_leaves_dents_and_does_not_tear_an_innocent_neighbour_apart():
    """Two vertebrae two centimetres into each other, as at a badly seen end of the image, and a third below them."""
    tilt = Rotation.from_euler("yx", (20, 10), degrees=True).as_matrix()

    def placed(kind: str, turn: np.ndarray, *shift: float) -> Mesh:
        mesh = template(kind)
        return mesh.with_vertices((mesh.vertices @ turn.T + shift).astype(np.float32))

    straight = np.eye(3)
    before = {
        "T11": placed("vertebra", tilt, 8, 0, 54),
        "T11-T12": placed("disc", tilt, 8, 0, 54),
        "T12": placed("vertebra", straight, 0, 0, 38),
        "T12-L1": placed("disc", straight, 0, 0, 38),
        "L1": placed("vertebra", straight, 0, 0, 0),
    }
    after = separate(dict(before))
    moved = {
        name: np.linalg.norm(after[name].vertices - mesh.vertices, axis=1).max()
        for name, mesh in before.items()
    }
    assert moved["L1"] < 5
    assert all(self_intersections(mesh) == 0 for mesh in after.values())


def test_what_is_too_deep_to_be_parted_stays_as_it_was_found_and_the_others_are_parted():
    upper, lower, disc = ball((0, 0, 14)), ball((0, 0, 0)), ball((5, 0, -22))
    apart = separate(
        {"L3": upper, "L4": lower, "L4-L5": disc}, left_as_found=[frozenset(("L3", "L4", "L3-L4"))]
    )
    assert np.array_equal(apart["L3"].vertices, upper.vertices)
    assert np.array_equal(apart["L4"].vertices, lower.vertices)
    assert penetration_depth(apart["L4"], apart["L4-L5"]).depth_mm < 0.3


def test_no_point_inside_is_left_out_of_those_that_may_be():
    """The quick look before the exact distances: a vertebra moved at random against another one."""
    rng = np.random.default_rng(3)
    home = template("vertebra")
    for _ in range(6):
        moved = Rotation.from_rotvec(rng.normal(0, 0.2, 3)).apply(home.vertices) + rng.normal(0, 8.0, 3)
        chosen, nearest = _maybe_inside(moved, home)
        inside = np.flatnonzero(signed_distance(moved, home) < 0)
        assert len(inside) > 100
        assert np.isin(inside, chosen).all()
        assert len(chosen) < 0.8 * len(moved), "most of what is outside is seen to be"
        assert len(nearest) == len(chosen)
