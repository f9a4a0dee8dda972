"""Tetrahedra fill the surface, keep it, are good enough, and come back from files by other libraries as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.assembly import alone
from mri2mesh.export.finite_elements.build import build_volume
from mri2mesh.export.finite_elements.improving import ALONG_SURFACE, OFF_SURFACE, improve
from mri2mesh.export.finite_elements.materials import materials_of
from mri2mesh.export.finite_elements.quality import scaled_jacobians
from mri2mesh.export.finite_elements.surfaces import ReadySurface
from mri2mesh.export.finite_elements.volume_mesh import VolumeMesh, signed_volumes, with_quadratic_nodes
from mri2mesh.export.formats.feb import write_feb
from mri2mesh.export.formats.inp import element_faces, write_inp
from mri2mesh.export.formats.msh import write_msh
from mri2mesh.export.formats.vtu import write_vtu
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.mesh import Mesh

netgen = pytest.importorskip("netgen", reason='needs netgen: pip install "mri2mesh[finite-elements]"')


@pytest.fixture(scope="module")
def ready(ready_barrel: Callable[[float], ReadySurface]) -> ReadySurface:
    return ready_barrel(3.0)


@pytest.fixture(scope="module")
def linear(ready: ReadySurface) -> VolumeMesh:
    return build_volume(alone("L3", "vertebra", ready.mesh, ready.zones), "netgen", 3.0, False, False)[0]


def test_a_regular_tetrahedron_has_scaled_jacobian_one_and_a_mirrored_one_minus_one() -> None:
    nodes = np.array([[0, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, 1]], float)
    assert scaled_jacobians(nodes, np.array([[0, 1, 2, 3]]))[0] == pytest.approx(1.0)
    assert scaled_jacobians(nodes, np.array([[0, 2, 1, 3]]))[0] == pytest.approx(-1.0)


def test_tetrahedra_fill_the_surface_and_none_is_bad(ready: ReadySurface, linear: VolumeMesh) -> None:
    volumes = signed_volumes(linear.nodes, linear.tetrahedra)
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(volume_mm3(ready.mesh), rel=2e-3)
    assert scaled_jacobians(linear.nodes, linear.tetrahedra).min() > 0.1


def test_worst_elements_are_mended_without_moving_the_surface_far(linear: VolumeMesh) -> None:
    rng = np.random.default_rng(3)
    surface = linear.surfaces["L3_SURFACE"]
    on_surface = np.zeros(len(linear.nodes), bool)
    on_surface[np.unique(surface)] = True
    spoiled = linear.nodes.copy()
    spoiled[~on_surface] += rng.normal(scale=0.8, size=(int((~on_surface).sum()), 3))
    before = scaled_jacobians(spoiled, linear.tetrahedra).min()
    assert before < 0.1
    mended = improve(spoiled, linear.tetrahedra, surface, 3.0)
    assert scaled_jacobians(mended, linear.tetrahedra).min() > max(before, 0.1)
    assert np.linalg.norm(mended - spoiled, axis=1)[on_surface].max() <= ALONG_SURFACE[-1] * 3.0 + 1e-9


def test_a_flat_element_on_the_surface_is_mended_by_going_along_the_surface_not_off_it() -> None:
    nodes = np.array(
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.02]], float
    )  # an element that lies in a square
    tetrahedra = np.array([[0, 1, 2, 3]])
    assert signed_volumes(nodes, tetrahedra)[0] > 0
    surface = np.array([[0, 2, 1], [0, 3, 2]])
    mended = improve(nodes, tetrahedra, surface, 1.0)
    assert scaled_jacobians(mended, tetrahedra)[0] > 3 * scaled_jacobians(nodes, tetrahedra)[0]
    moved = mended - nodes
    assert np.abs(moved[:4, 2]).max() <= OFF_SURFACE + 0.01


def test_surfaces_face_outward_and_belong_to_an_element(linear: VolumeMesh) -> None:
    for triangles in linear.surfaces.values():
        for (element, face), triangle in zip(element_faces(linear, triangles), triangles, strict=True):
            rest = np.setdiff1d(linear.tetrahedra[element], triangle)
            assert len(rest) == 1 and 0 <= face < 4
            a, b, c = linear.nodes[triangle]
            assert np.dot(np.cross(b - a, c - a), linear.nodes[rest[0]] - a) < 0


def test_quadratic_elements_have_their_nodes_in_the_middle_of_edges(linear: VolumeMesh) -> None:
    mesh = with_quadratic_nodes(linear)
    corner = mesh.nodes[mesh.tetrahedra]
    for node, (a, b) in enumerate([(0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3)], 4):
        np.testing.assert_allclose(corner[:, node], (corner[:, a] + corner[:, b]) / 2, atol=1e-12)
    assert len(np.unique(mesh.tetrahedra)) == len(mesh.nodes)
    triangles = mesh.surfaces["L3_SUPERIOR_ENDPLATE"]
    side = mesh.nodes[triangles]
    np.testing.assert_allclose(side[:, 3], (side[:, 0] + side[:, 1]) / 2, atol=1e-12)


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("ending", ["inp", "msh", "vtu"])
def test_meshio_reads_what_was_written(
    linear: VolumeMesh, ending: str, quadratic: bool, tmp_path: Path
) -> None:
    meshio = pytest.importorskip("meshio", reason="needs meshio: pip install meshio")
    mesh = with_quadratic_nodes(linear) if quadratic else linear
    path = tmp_path / f"L3.{ending}"
    write(mesh, path)
    back = meshio.read(path)
    np.testing.assert_allclose(back.points, mesh.nodes, atol=1e-5)
    kind = "tetra10" if quadratic else "tetra"
    elements = np.concatenate([block.data for block in back.cells if block.type == kind])
    assert {tuple(row) for row in elements.tolist()} == {tuple(row) for row in mesh.tetrahedra.tolist()}
    if ending == "vtu":
        np.testing.assert_array_equal(
            np.nonzero(back.point_data["N_L3_SUPERIOR_ENDPLATE"])[0],
            mesh.node_sets()["L3_SUPERIOR_ENDPLATE"],
        )
        np.testing.assert_array_equal(back.point_data["region"], mesh.node_data["region"])
        return
    part = "L3_BODY"
    members = [
        block.data[chosen]
        for block, chosen in zip(back.cells, back.cell_sets[part], strict=True)
        if block.type == kind
    ]
    expected = mesh.tetrahedra[mesh.element_sets[part]]
    assert {tuple(row) for row in np.concatenate(members).tolist()} == {tuple(r) for r in expected.tolist()}
    if ending == "inp":
        np.testing.assert_array_equal(
            np.sort(back.point_sets["N_L3_INFERIOR_ENDPLATE"]), mesh.node_sets()["L3_INFERIOR_ENDPLATE"]
        )


def test_febio_files_hold_every_element_set_and_material(linear: VolumeMesh, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    write(linear, tmp_path / "L3.feb")
    root = ElementTree.parse(tmp_path / "L3.feb").getroot()
    assert root.tag == "febio_spec" and root.get("version") == "4.0"
    nodes = np.array([[float(v) for v in node.text.split(",")] for node in root.iter("node")])
    np.testing.assert_allclose(nodes, linear.nodes, atol=1e-6)
    rows = {
        int(element.get("id")): [int(v) - 1 for v in element.text.split(",")]
        for block in root.iter("Elements")
        for element in block
    }
    assert [rows[number + 1] for number in range(len(linear.tetrahedra))] == linear.tetrahedra.tolist()
    parts = {block.get("name") for block in root.iter("Elements")}
    assert parts == {domain.get("name") for domain in root.iter("SolidDomain")}
    materials = {material.get("name") for material in root.iter("material")}
    assert {domain.get("mat") for domain in root.iter("SolidDomain")} <= materials
    surface = root.find("Mesh/Surface[@name='S_L3_SUPERIOR_ENDPLATE']")
    assert len(surface) == len(linear.surfaces["L3_SUPERIOR_ENDPLATE"])


def write(mesh: VolumeMesh, path: Path) -> None:
    materials = materials_of(mesh, {"L3": "vertebra"}, by_region=False)
    if path.suffix == ".inp":
        write_inp(mesh, path, "RAS", materials)
    elif path.suffix == ".feb":
        write_feb(mesh, path, "RAS", materials)
    elif path.suffix == ".msh":
        write_msh(mesh, path, "RAS")
    else:
        write_vtu(mesh, path, "RAS")


def test_tetwild_fills_what_netgen_would_have(barrel: Mesh, ready: ReadySurface) -> None:
    pytest.importorskip(
        "pytetwild", reason="needs pytetwild, which has no wheels for Macs with Intel processors"
    )
    mesh, figures = build_volume(
        alone("L3", "vertebra", ready.mesh, ready.zones), "tetwild", 4.0, False, False
    )
    assert figures["mesher"] == "tetwild"
    assert signed_volumes(mesh.nodes, mesh.tetrahedra).min() > 0
    assert figures["volume_mm3"]["L3"] == pytest.approx(volume_mm3(ready.mesh), rel=0.03)
    assert len(mesh.surfaces["L3_SUPERIOR_ENDPLATE"]) > 50


def test_a_mesher_that_is_not_installed_says_how_to_get_it_and_its_licence(
    ready: ReadySurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "gmsh", None)
    with pytest.raises(InputError, match=r"gmsh is not installed .*GPL"):
        build_volume(alone("L3", "vertebra", ready.mesh, ready.zones), "gmsh", 3.0, False, False)


@pytest.mark.parametrize("mesher", ["gmsh", "tetgen"])
def test_a_mesher_of_the_user_s_own_keeps_the_surface_and_fills_it(mesher: str, ready: ReadySurface) -> None:
    pytest.importorskip(mesher, reason=f"{mesher} is used where the user has installed it")
    mesh, figures = build_volume(alone("L3", "vertebra", ready.mesh, ready.zones), mesher, 3.0, False, False)
    assert figures["mesher"] == mesher and signed_volumes(mesh.nodes, mesh.tetrahedra).min() > 0
    assert figures["volume_mm3"]["L3"] == pytest.approx(volume_mm3(ready.mesh), rel=2e-3)
    assert len(mesh.surfaces["L3_SURFACE"]) == len(ready.mesh.faces)
