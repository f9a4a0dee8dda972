"""A cortex is a thin shell, not a choice of elements; materials are those of parts: read back, and solved."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mri2mesh.export.finite_elements.assembly import alone
from mri2mesh.export.finite_elements.build import build_volume
from mri2mesh.export.finite_elements.materials import CORTEX, Material, materials_of
from mri2mesh.export.finite_elements.surfaces import ready_surface
from mri2mesh.export.finite_elements.volume_mesh import VolumeMesh, with_quadratic_nodes
from mri2mesh.export.formats.feb import write_feb
from mri2mesh.export.formats.inp import write_inp
from mri2mesh.export.formats.msh import write_msh
from mri2mesh.geometry.mesh import Mesh

pytest.importorskip("netgen", reason='needs netgen: pip install "mri2mesh[finite-elements]"')
CCX = shutil.which("ccx")
needs_ccx = pytest.mark.skipif(CCX is None, reason="needs CalculiX: apt-get install calculix-ccx")

SIDE_MM, EDGE_MM, CORTEX_MM, PRESSED_MM = 12.0, 3.0, 0.1, 0.01
SOFT, STIFF = Material("SOFT", 100.0, 0.3), Material("STIFF", 500.0, 0.3)


@pytest.fixture(scope="module")
def bar(box: Mesh) -> VolumeMesh:
    """The box with a shell on its whole surface, its faces as sets, and its halves as parts."""
    ready = ready_surface("box", box, EDGE_MM)
    mesh, _ = build_volume(alone("box", "unknown", ready.mesh, ready.zones), "netgen", EDGE_MM, False, True)
    triangles, low = mesh.surfaces["BOX_SURFACE"], mesh.nodes.min(axis=0)
    centres = mesh.nodes[mesh.tetrahedra].mean(axis=1)
    upper = centres[:, 0] > low[0] + SIDE_MM / 2
    halves = {"BOX_ONE": np.nonzero(upper)[0], "BOX_OTHER": np.nonzero(~upper)[0]}

    def face(axis: int, at: float) -> np.ndarray:
        return triangles[np.isclose(mesh.nodes[triangles][..., axis], at, atol=1e-4).all(axis=1)]

    faces = {
        "BOX_BOTTOM": face(2, low[2]),
        "BOX_TOP": face(2, low[2] + SIDE_MM),
        "BOX_EDGE": face(0, low[0]),
        "BOX_SIDE": face(1, low[1]),
    }
    return replace(mesh, surfaces=faces, element_sets=halves, parts=tuple(halves))


def energies(mesh: VolumeMesh, materials: dict[str, Material], folder: Path, cortex_mm: float) -> list[float]:
    """Strain energy of each part and each shell when the bar is pressed along z, N mm: solved by CalculiX."""
    write_inp(mesh, folder / "box.inp", "RAS", materials, cortex_mm)
    sets = [*mesh.parts, *mesh.shells]
    asked = "".join(f"*EL PRINT, ELSET={name}, TOTALS=ONLY\nELSE\n" for name in sets)
    (folder / "press.inp").write_text(
        f"*INCLUDE, INPUT=box.inp\n*STEP\n*STATIC\n*BOUNDARY\nN_BOX_BOTTOM, 3, 3\n"
        f"N_BOX_TOP, 3, 3, -{PRESSED_MM}\nN_BOX_EDGE, 1, 1\nN_BOX_SIDE, 2, 2\n{asked}*END STEP\n"
    )
    done = subprocess.run([str(CCX), "press"], cwd=folder, capture_output=True, text=True, timeout=300)
    assert "*ERROR" not in done.stdout
    found = re.findall(r"energy for set (\S+) .*\n\n(.*)\n", (folder / "press.dat").read_text())
    assert [name for name, _value in found] == sets
    return [float(value) for _name, value in found]


@needs_ccx
@pytest.mark.parametrize("quadratic", [False, True])
def test_a_shell_on_the_walls_of_a_bar_adds_its_thickness_times_its_modulus(
    bar: VolumeMesh, quadratic: bool, tmp_path: Path
) -> None:
    shell = bar.shells["BOX_CORTEX"]
    ends = np.concatenate([bar.surfaces["BOX_TOP"], bar.surfaces["BOX_BOTTOM"]])
    is_end = np.isin(shell, np.unique(ends)).all(axis=1)
    mesh = replace(bar, shells={"BOX_CORTEX": shell[~is_end]})
    mesh = with_quadratic_nodes(mesh) if quadratic else mesh
    one, other, cortex = energies(mesh, {"BOX_ONE": STIFF, "BOX_OTHER": STIFF}, tmp_path, CORTEX_MM)
    strain = PRESSED_MM / SIDE_MM
    assert one + other == pytest.approx(STIFF.young_mpa * strain**2 / 2 * SIDE_MM**3, rel=2e-3)
    wall = 4 * SIDE_MM * SIDE_MM * CORTEX_MM
    assert cortex == pytest.approx(CORTEX.young_mpa * strain**2 / 2 * wall, rel=5e-3)


@needs_ccx
def test_each_part_is_as_stiff_as_its_own_material(bar: VolumeMesh, tmp_path: Path) -> None:
    mesh = replace(bar, shells={})
    soft, stiff = energies(mesh, {"BOX_ONE": SOFT, "BOX_OTHER": STIFF}, tmp_path, 0)
    strain = PRESSED_MM / SIDE_MM
    # halves side by side, divided along elements: nearly the strain of a bar of one material
    for energy, material in ((soft, SOFT), (stiff, STIFF)):
        assert energy == pytest.approx(material.young_mpa * strain**2 / 2 * SIDE_MM**3 / 2, rel=0.12)
    assert soft + stiff <= (SOFT.young_mpa + STIFF.young_mpa) * strain**2 / 2 * SIDE_MM**3 / 2 * 1.06


@pytest.mark.parametrize("ending", ["inp", "msh"])
def test_meshio_finds_the_shell_on_the_whole_surface(bar: VolumeMesh, ending: str, tmp_path: Path) -> None:
    meshio = pytest.importorskip("meshio", reason="needs meshio: pip install meshio")
    path = tmp_path / f"box.{ending}"
    if ending == "inp":
        write_inp(bar, path, "RAS", {"BOX_ONE": SOFT, "BOX_OTHER": STIFF}, CORTEX_MM)
    else:
        write_msh(bar, path, "RAS")
    back = meshio.read(path)
    chosen = [
        block.data[members]
        for block, members in zip(back.cells, back.cell_sets["BOX_CORTEX"], strict=True)
        if block.type == "triangle" and members is not None and len(members)
    ]
    found = {tuple(row) for row in np.concatenate(chosen).tolist()}
    assert found == {tuple(row) for row in bar.shells["BOX_CORTEX"].tolist()}
    corners = back.points[np.concatenate(chosen)]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert area.sum() == pytest.approx(6 * SIDE_MM**2, rel=1e-4)


def test_febio_gives_each_part_its_material_and_the_shell_its_thickness(
    bar: VolumeMesh, tmp_path: Path
) -> None:
    write_feb(bar, tmp_path / "box.feb", "RAS", {"BOX_ONE": SOFT, "BOX_OTHER": STIFF}, CORTEX_MM)
    root = ElementTree.parse(tmp_path / "box.feb").getroot()
    young = {one.get("name"): float(one.findtext("E", "")) for one in root.iter("material")}
    assert young == {"SOFT": 100.0, "STIFF": 500.0, CORTEX.name: CORTEX.young_mpa}
    assert {one.get("name"): one.get("mat") for one in root.iter("SolidDomain")} == {
        "BOX_ONE": "SOFT",
        "BOX_OTHER": "STIFF",
    }
    shell = root.find("MeshDomains/ShellDomain")
    assert shell is not None and shell.get("mat") == CORTEX.name
    assert float(shell.findtext("shell_thickness", "")) == CORTEX_MM
    block = root.find("Mesh/Elements[@name='BOX_CORTEX']")
    assert block is not None and len(block) == len(bar.shells["BOX_CORTEX"])
    numbers = [int(element.get("id", "")) for part in root.iter("Elements") for element in part]
    assert len(numbers) == len(set(numbers))


def test_by_region_a_body_and_its_arch_a_nucleus_and_its_annulus_differ(bar: VolumeMesh) -> None:
    parts = ("L3_BODY", "L3_LAMINA", "L3_L4_NUCLEUS", "L3_L4_ANNULUS")
    mesh = replace(bar, parts=parts)
    kinds = {"L3": "vertebra", "L3-L4": "disc"}
    chosen = materials_of(mesh, kinds, by_region=True)
    assert [chosen[part].name for part in parts] == [
        "CANCELLOUS_BONE",
        "POSTERIOR_BONE",
        "NUCLEUS",
        "ANNULUS",
    ]
    assert {one.name for one in materials_of(mesh, kinds, by_region=False).values()} == {"BONE", "DISC"}
