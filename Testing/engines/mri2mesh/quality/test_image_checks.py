"""True surfaces pass the checks against the image; each way of being wrong fails the check that is there for it."""

import numpy as np
import pytest

from engines.mri2mesh.quality.painted_spine import PaintedSpine
from engines.mri2mesh.quality.wrong_surfaces import (
    arches_in_front,
    at_the_place_of,
    grown,
    mirrored,
    moved,
    stretched_up,
)
from mri2mesh.engines.mri2mesh.quality.canal import canal_checks
from mri2mesh.engines.mri2mesh.quality.directions import direction_checks
from mri2mesh.engines.mri2mesh.quality.edges import edge_checks
from mri2mesh.engines.mri2mesh.quality.sequence import sequence_checks
from mri2mesh.engines.mri2mesh.quality.tissue import tissue_checks
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check

AROUND_L3 = ("L2", "L2-L3", "L3", "L3-L4", "L4")
EDGES, INSIDE, OUTSIDE = "edge agreement", "tissue inside", "tissue outside"
CANAL, DIRECTIONS, HEIGHT = "canal behind the body", "directions", "height against neighbours"


def checks(spine: PaintedSpine, **changed: Mesh) -> list[Check]:
    """changed: surfaces in the place of the true ones; `L3_L4` is the disc."""
    meshes = {name.replace("_", "-"): mesh for name, mesh in changed.items()}
    structures = spine.with_meshes(meshes, AROUND_L3)
    return [
        *edge_checks(structures, spine.volume),
        *tissue_checks(structures, spine.volume, spine.evidence),
        *direction_checks(structures),
        *canal_checks(structures, spine.evidence),
        *sequence_checks(structures),
    ]


def failed(found: list[Check]) -> set[tuple[str | None, str]]:
    return {(check.structure, check.name) for check in found if not check.passed}


def test_true_surfaces_pass_with_room_to_spare(spine):
    found = checks(spine)
    assert failed(found) == set()
    value = {(check.structure, check.name): check.value for check in found}
    for name in AROUND_L3:
        assert value[name, EDGES] > 0.8
        assert value[name, INSIDE] > 0.8
        assert value[name, OUTSIDE] < 0.05
    for name in ("L2", "L3", "L4"):
        assert value[name, CANAL] == 0
        assert value[name, DIRECTIONS] > 0.9


BODY = {
    "4 mm up": (lambda mesh: moved(mesh, up=4), {EDGES, INSIDE}),
    "4 mm down": (lambda mesh: moved(mesh, up=-4), {EDGES, INSIDE}),
    "4 mm forwards": (lambda mesh: moved(mesh, forwards=4), {EDGES, INSIDE}),
    "4 mm backwards": (lambda mesh: moved(mesh, forwards=-4), {EDGES, INSIDE}),
    "two slices to the right": (lambda mesh: moved(mesh, right=8), {INSIDE}),
    "two slices to the left": (lambda mesh: moved(mesh, right=-8), {INSIDE}),
    "grown by 3 mm": (lambda mesh: grown(mesh, 3), {EDGES, INSIDE}),
    "shrunk by 3 mm": (lambda mesh: grown(mesh, -3), {EDGES, OUTSIDE}),
    "merged with the disc above": (lambda mesh: stretched_up(mesh, 9), {INSIDE, HEIGHT}),
    "merged with half of it": (lambda mesh: stretched_up(mesh, 5), {EDGES, INSIDE}),
    "arches in front": (arches_in_front, {CANAL, DIRECTIONS}),
    "mirrored": (mirrored, {DIRECTIONS}),
}


@pytest.mark.parametrize("wrong", BODY)
def test_a_vertebra_that_is_wrong_fails(spine, wrong):
    change, caught_by = BODY[wrong]
    found = failed(checks(spine, L3=change(spine.mesh("L3"))))
    assert {("L3", name) for name in caught_by} <= found
    others = {(structure, name) for structure, name in found if structure in ("L2", "L4")}
    assert {name for _, name in others} <= {HEIGHT, OUTSIDE}, "its neighbours are right"


DISC = {
    "4 mm up": (lambda mesh: moved(mesh, up=4), {EDGES, INSIDE}),
    "4 mm down": (lambda mesh: moved(mesh, up=-4), {EDGES, INSIDE}),
    "4 mm forwards": (lambda mesh: moved(mesh, forwards=4), {EDGES}),
    "4 mm backwards": (lambda mesh: moved(mesh, forwards=-4), {EDGES}),
    "grown by 3 mm": (lambda mesh: grown(mesh, 3), {INSIDE}),
    "shrunk by 3 mm": (lambda mesh: grown(mesh, -3), {EDGES, OUTSIDE}),
}


@pytest.mark.parametrize("wrong", DISC)
def test_a_disc_that_is_wrong_fails(spine, wrong):
    change, caught_by = DISC[wrong]
    found = failed(checks(spine, L3_L4=change(spine.mesh("L3-L4"))))
    assert {("L3-L4", name) for name in caught_by} <= found


def test_a_vertebra_at_the_place_of_its_neighbour_breaks_the_order_and_a_disc_leaves_its_place(spine):
    body = at_the_place_of(spine.mesh("L3"), spine.mesh("L4"))
    assert ("L3, L4", "order and spacing") in failed(checks(spine, L3=body))
    disc = at_the_place_of(spine.mesh("L2-L3"), spine.mesh("L3-L4"))
    assert ("L2-L3", "disc in its place") in failed(checks(spine, L2_L3=disc))


def test_a_surface_somewhere_else_in_the_image_fails(spine):
    rng = np.random.default_rng(3)
    for _ in range(4):
        off = rng.normal(size=3)
        off *= 14 / np.linalg.norm(off)
        mesh = spine.mesh("L3")
        found = failed(checks(spine, L3=mesh.with_vertices(mesh.vertices + off)))
        assert ("L3", INSIDE) in found


def test_the_details_say_which_wall_and_how_much(spine):
    found = checks(spine, L3=stretched_up(spine.mesh("L3"), 6))
    detail = {check.name: check.detail for check in found if check.structure == "L3"}
    assert detail[EDGES].startswith("upper endplate: ")
    assert "mm high, its neighbours" in detail[HEIGHT]
