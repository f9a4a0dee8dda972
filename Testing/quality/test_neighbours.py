"""Overlapping surfaces are parted: the disc gives way to bone, bones share the way."""

import numpy as np

from geometry.solids import sphere
from mri2mesh.geometry.checks import is_watertight, self_intersections
from mri2mesh.geometry.interpenetration import penetration_depth
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.quality.neighbours import separate, touching_pairs


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
