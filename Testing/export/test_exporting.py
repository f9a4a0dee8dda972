"""``mri2mesh export``: right files, right places, sidecars that say what they are, and nothing half-written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.cli import main
from mri2mesh.export.exporting.request import ExportRequest
from mri2mesh.export.exporting.run import export
from mri2mesh.export.report import make_report, write_report_json
from mri2mesh.export.structure_files import write_surfaces
from mri2mesh.export.surfaces import read_surface, write_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction


@pytest.fixture(scope="module")
def result(spine: Reconstruction, oblique_image: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result folder as `reconstruct` leaves it."""
    folder = tmp_path_factory.mktemp("result")
    write_surfaces(spine, folder, ["vtp"])
    write_report_json(make_report(spine, oblique_image), folder / "report.json")
    return folder


@pytest.mark.parametrize("space", ["LPS", "RAS"])
@pytest.mark.parametrize("ending", ["stl", "ply", "obj", "vtk"])
def test_surfaces_come_back_in_place_in_either_space(
    result: Path, spine: Reconstruction, space: str, ending: str, tmp_path: Path
) -> None:
    main(
        [
            "export",
            str(result),
            "--to",
            ending,
            "--space",
            space,
            "--structures",
            "L3",
            "--out",
            str(tmp_path),
        ]
    )
    back = read_surface(tmp_path / f"L3.{ending}")
    expected = spine["L3"].mesh
    assert np.sort(back.vertices[:, 0]) == pytest.approx(
        np.sort(expected.vertices[:, 0])[: len(back.vertices)], abs=1e-3
    )
    np.testing.assert_allclose(back.vertices.mean(axis=0), expected.vertices.mean(axis=0), atol=1e-2)


def test_trimesh_reads_ply_with_the_arrays_of_its_vertices(
    result: Path, spine: Reconstruction, tmp_path: Path
) -> None:
    export(ExportRequest(result, ("ply",), tmp_path, ("L3",)))
    back = read_surface(tmp_path / "L3.ply")
    np.testing.assert_allclose(back.point_data["uncertainty_mm"], spine["L3"].uncertainty_mm, atol=1e-6)
    np.testing.assert_array_equal(back.point_data["region"], spine["L3"].mesh.regions)


def test_trimesh_reads_gltf_upright_in_metres_with_names(
    result: Path, spine: Reconstruction, tmp_path: Path
) -> None:
    import trimesh

    for space in ("LPS", "RAS"):
        out = tmp_path / space
        export(ExportRequest(result, ("gltf",), out, ("L3", "L3-L4"), space=space))
        scene = trimesh.load(out / "structures.gltf", process=False)
        assert set(scene.geometry) == {"L3", "L3-L4"}
        placed = {mesh.metadata.get("name", name): mesh for name, mesh in scene.geometry.items()}
        matrix = scene.graph.get("L3")[0]
        vertices = np.asarray(placed["L3"].vertices) @ matrix[:3, :3].T + matrix[:3, 3]
        ras = spine["L3"].mesh.vertices
        # the patient's left, head and front are glTF's +x, +y and +z
        expected = np.stack([-ras[:, 0], ras[:, 2], ras[:, 1]], axis=1) / 1000
        np.testing.assert_allclose(vertices, expected, atol=1e-6)
        assert placed["L3"].volume > 0


def test_the_sidecar_says_what_the_file_is_and_where_it_came_from(result: Path, tmp_path: Path) -> None:
    export(ExportRequest(result, ("stl",), tmp_path, ("L3",), space="RAS"))
    sidecar = json.loads((tmp_path / "L3.stl.json").read_text())
    report = json.loads((result / "report.json").read_text())
    assert sidecar["space"] == "RAS" and sidecar["units"]["length"] == "mm"
    assert sidecar["structures"][0]["snomed_ct_code"] == "36470004"
    origin = sidecar["made_from"]
    assert origin["engine"] == report["engine"] and origin["weights"] == report["weights"]
    assert origin["input"]["sha256"] == report["input"]["sha256"]
    assert all(check["structure"] in (None, "L3") for check in origin["checks"])


def test_the_sidecar_says_whether_the_levels_are_a_guess(result: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(result, tmp_path / "result")
    report = json.loads((copied / "report.json").read_text())
    report["levels"] = {"anchor": "none", "certain": False, "statement": "a guess", "lowest": "L5"}
    (copied / "report.json").write_text(json.dumps(report))
    export(ExportRequest(copied, ("stl",), tmp_path / "out", ("L3",)))
    sidecar = json.loads((tmp_path / "out" / "L3.stl.json").read_text())
    assert sidecar["made_from"]["levels"] == report["levels"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "docx"], "unknown format 'docx'"),
        (["--to", "stl", "--structures", "L9"], "L9 is not in this result"),
        (["--to", "stl", "--space", "XYZ"], "unknown space 'XYZ'"),
        (["--to", "vtp"], "choose another folder with --out"),
        (["--to", "inp", "--edge-length", "-1"], "give a number above 0"),
        (["--to", "inp", "--edge-length", "40", "--structures", "L3"], "too small for edges of 40 mm"),
        (["--to", "stl", "--quadratic"], "quadratic elements need a format"),
    ],
)
def test_bad_requests_end_in_one_line_and_write_nothing(
    result: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in result.iterdir()}
    assert main(["export", str(result), *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said and "\n" not in said
    assert {path.name: path.read_bytes() for path in result.iterdir()} == before


def test_a_mesh_in_metres_is_refused_unless_its_unit_is_given(
    spine: Reconstruction, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh = spine["L3"].mesh
    path = write_surface(mesh.with_vertices(mesh.vertices / 1000), tmp_path / "L3.stl")
    out = tmp_path / "out"
    assert main(["export", str(path), "--to", "obj", "--out", str(out)]) == 2
    assert "seems to be in metres: add --unit m" in capsys.readouterr().err
    assert not out.exists()
    assert main(["export", str(path), "--to", "obj", "--out", str(out), "--unit", "m"]) == 0
    assert np.ptp(read_surface(out / "L3.obj").vertices, axis=0) == pytest.approx(
        np.ptp(mesh.vertices, axis=0), rel=1e-3
    )


def test_an_open_mesh_makes_no_tetrahedra(
    spine: Reconstruction, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh = spine["L3"].mesh
    path = write_surface(Mesh(mesh.vertices, mesh.faces[5:]), tmp_path / "open.stl")
    assert main(["export", str(path), "--to", "inp"]) == 2
    assert "open is not a closed surface" in capsys.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == ["open.stl"]


def test_a_full_disk_leaves_the_folder_as_it_was(
    result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import errno

    out = tmp_path / "out"
    out.mkdir()
    (out / "L3.obj").write_text("what was there")
    real = Path.write_text

    def full(self: Path, text: str, *rest: object, **named: object) -> int:
        if self.name == "L3-L4.obj":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, text, *rest, **named)

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["export", str(result), "--to", "obj", "--structures", "L3,L3-L4", "--out", str(out)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert [item.name for item in out.iterdir()] == ["L3.obj"]
    assert (out / "L3.obj").read_text() == "what was there"
