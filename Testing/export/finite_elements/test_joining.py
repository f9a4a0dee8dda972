"""A disc between two bodies: it shares their nodes, fills the space between their endplates, and only it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.errors import InputError
from mri2mesh.export.exporting.sources import NamedMesh
from mri2mesh.export.finite_elements.assembly import Assembly
from mri2mesh.export.finite_elements.build import build_volume
from mri2mesh.export.finite_elements.joining import join
from mri2mesh.export.finite_elements.quality import scaled_jacobians
from mri2mesh.export.finite_elements.surfaces import ReadySurface, ready_surface
from mri2mesh.export.finite_elements.volume_mesh import signed_volumes
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.mesh import Mesh

HEIGHT_MM, GAP_MM = 26.0, 8.0
EDGE_MM = 3.0


def named(name: str, mesh: Mesh) -> NamedMesh:
    return NamedMesh(name, mesh, STRUCTURES[name])


@pytest.fixture(scope="module")
def items(barrel: Mesh) -> list[NamedMesh]:
    """Two barrels 8 mm apart, and a disc that stands 0.7 mm off both and is wider than both."""
    below = barrel.with_vertices(barrel.vertices - np.float32([0, 0, HEIGHT_MM + GAP_MM]))
    centre = np.float32([5, -10, 40])
    flat = centre + (barrel.vertices - centre) * np.float32([1.15, 1.15, (GAP_MM - 1.4) / HEIGHT_MM])
    middle = 40 - HEIGHT_MM / 2 - GAP_MM / 2
    disc = replace(barrel.with_vertices(flat + np.float32([0, 0, middle - flat[:, 2].mean()])), point_data={})
    return [named("L3", barrel), named("L3-L4", disc), named("L4", below)]


@pytest.fixture(scope="module")
def joined(items: list[NamedMesh]) -> tuple[Assembly, dict[str, ReadySurface]]:
    ready = {i.name: ready_surface(i.name, i.mesh, EDGE_MM) for i in items if i.kind != "disc"}
    return join(items, ready, EDGE_MM), ready


def test_the_disc_touches_both_bodies_in_the_very_same_nodes(
    joined: tuple[Assembly, dict[str, ReadySurface]],
) -> None:
    assembly, ready = joined
    boundary = assembly.boundary()
    shared = boundary.outside > 0
    heights = assembly.points[boundary.faces[shared]][..., 2]
    assert np.isclose(heights, 40 - HEIGHT_MM / 2, atol=1e-3).all(axis=1).sum() > 50
    assert np.isclose(heights, 40 - HEIGHT_MM / 2 - GAP_MM, atol=1e-3).all(axis=1).sum() > 50
    for name in ("L3", "L4"):
        member = next(member for member in assembly.members if member.name == name)
        np.testing.assert_array_equal(
            assembly.points[member.triangles], ready[name].mesh.vertices[ready[name].mesh.faces]
        )
    gap = ready["L3-L4"].figures["distance_of_endplates_from_disc_before"]
    assert gap["mean_mm"] == pytest.approx(0.7, abs=0.15)
    assert ready["L3-L4"].figures["edges"]["share_within_30_percent"] > 0.95
    assert abs(ready["L3-L4"].figures["volume_change_share"]) < 0.01
    assert -1 < ready["L3-L4"].figures["roundness_of_wall_kept"] < 1


def test_elements_of_the_three_share_faces_and_do_not_overlap(
    joined: tuple[Assembly, dict[str, ReadySurface]], items: list[NamedMesh]
) -> None:
    pytest.importorskip("netgen", reason='needs netgen: pip install "mri2mesh[finite-elements]"')
    mesh, _ = build_volume(joined[0], "netgen", EDGE_MM, False, False)
    volumes = signed_volumes(mesh.nodes, mesh.tetrahedra)
    assert mesh.names == ("L3", "L3-L4", "L4")
    area = np.pi * 21 * 16 * 0.94 * 1.099 * 0.9**2
    disc = float(volumes[mesh.domains == 1].sum())
    assert disc == pytest.approx(volume_mm3(items[1].mesh), rel=0.02), (
        "gaps are filled, the disc does not grow"
    )
    assert disc == pytest.approx(area * GAP_MM, rel=0.3)
    assert scaled_jacobians(mesh.nodes, mesh.tetrahedra).min() > 0.1
    top = {tuple(sorted(t)) for t in mesh.surfaces["L3_L4_ENDPLATE_SUPERIOR"].tolist()}
    assert top == {tuple(sorted(t)) for t in mesh.surfaces["L3_INFERIOR_ENDPLATE"].tolist()}
    bone = set(mesh.tetrahedra[mesh.domains == 0].ravel().tolist())
    between = set(mesh.tetrahedra[mesh.domains == 1].ravel().tolist())
    assert bone & between == set(np.unique(mesh.surfaces["L3_INFERIOR_ENDPLATE"]).tolist())
    assert {"L3_L4_NUCLEUS", "L3_L4_ANNULUS", "L3_BODY", "L4_BODY"} <= set(mesh.parts)


def test_a_disc_without_its_vertebra_and_bones_that_overlap_are_refused(items: list[NamedMesh]) -> None:
    with pytest.raises(InputError, match="L3-L4 cannot be joined without L4"):
        join(items[:2], {}, EDGE_MM)
    l3 = items[0]
    sunk = named("L4", l3.mesh.with_vertices(l3.mesh.vertices - np.float32([0, 0, 20])))
    zones = np.zeros(len(l3.mesh.faces), int)
    ready = {i.name: ReadySurface(i.mesh, zones, np.ones(len(i.mesh.vertices)), {}) for i in (l3, sunk)}
    with pytest.raises(InputError, match="L3 and L4 cut each other"):
        join([l3, sunk], ready, EDGE_MM).boundary()
