"""Surfaces leave in LPS, say so, and come back where they were: for us and for 3D Slicer's own reader."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.export.surfaces import FORMATS, read_surface, write_surface
from mri2mesh.geometry.checks import is_watertight, volume_mm3
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Reconstruction


@pytest.fixture
def l3(spine: Reconstruction) -> Mesh:
    item = spine["L3"]
    return item.mesh.with_point_data(uncertainty_mm=item.uncertainty_mm, support=item.support)


def corners(mesh: Mesh) -> NDArray:
    """[F, 9] corner coordinates, each face from its smallest corner, sorted: whatever the numbering."""
    faces = mesh.vertices[mesh.faces].astype(float).round(4)
    turned = []
    for face in faces:
        first = min(range(3), key=lambda n: tuple(face[n]))
        turned.append(np.roll(face, -first, axis=0).ravel())
    return np.array(sorted(map(tuple, turned)))


@pytest.mark.parametrize("extension", FORMATS)
def test_a_surface_comes_back_in_place_and_turned_outward(l3: Mesh, extension: str, tmp_path: Path) -> None:
    back = read_surface(write_surface(l3, tmp_path / f"L3.{extension}"))
    np.testing.assert_allclose(corners(back), corners(l3), atol=1e-4)
    assert is_watertight(back)
    assert volume_mm3(back) == pytest.approx(volume_mm3(l3), rel=1e-5)


@pytest.mark.parametrize("extension", ["vtp", "vtk"])
def test_vtk_files_keep_every_array_exactly(l3: Mesh, extension: str, tmp_path: Path) -> None:
    back = read_surface(write_surface(l3, tmp_path / f"L3.{extension}"))
    np.testing.assert_array_equal(back.vertices, l3.vertices)
    np.testing.assert_array_equal(back.faces, l3.faces)
    for name in ("region", "uncertainty_mm", "support"):
        np.testing.assert_array_equal(back.point_data[name], l3.point_data[name])
        assert back.point_data[name].dtype == l3.point_data[name].dtype


def test_coordinates_in_the_file_are_lps(l3: Mesh, tmp_path: Path) -> None:
    text = write_surface(l3, tmp_path / "L3.obj").read_text()
    written = np.array(
        [line.split()[1:] for line in text.splitlines() if line.startswith("v ")], dtype=np.float32
    )
    np.testing.assert_array_equal(written, l3.vertices * np.float32([-1, -1, 1]))


@pytest.mark.parametrize(
    ("extension", "header"),
    [
        ("stl", rb"^3D Slicer output. UNITS=mm SPACE=LPS\0"),
        ("obj", rb"^# +3D Slicer output. UNITS=mm SPACE=LPS\n"),
        ("ply", rb"\ncomment SPACE=LPS\n"),
        ("vtk", rb"^.*\n3D Slicer output. UNITS=mm SPACE=LPS\nBINARY\n"),
        ("vtp", rb'<Array type="String" Name="SPACE"'),
    ],
)
def test_headers_declare_lps_as_slicer_does(l3: Mesh, extension: str, header: bytes, tmp_path: Path) -> None:
    assert re.search(header, write_surface(l3, tmp_path / f"L3.{extension}").read_bytes())


@pytest.mark.parametrize("extension", FORMATS)
def test_slicer_reads_our_files_in_place(l3: Mesh, extension: str, tmp_path: Path) -> None:
    mrml = pytest.importorskip("slicer_core", reason="needs slicer-core: pip install slicer-core")
    from mri2mesh.geometry.vtk_bridge import from_polydata

    node, storage = mrml.vtkMRMLModelNode(), mrml.vtkMRMLModelStorageNode()
    storage.SetFileName(str(write_surface(l3, tmp_path / f"L3.{extension}")))
    assert storage.ReadData(node)
    np.testing.assert_allclose(corners(from_polydata(node.GetPolyData())), corners(l3), atol=1e-3)


@pytest.mark.parametrize("extension", FORMATS)
def test_we_read_slicers_files_in_place(l3: Mesh, extension: str, tmp_path: Path) -> None:
    mrml = pytest.importorskip("slicer_core", reason="needs slicer-core: pip install slicer-core")
    from mri2mesh.geometry.vtk_bridge import to_polydata

    for space in ("RAS", "LPS"):
        node, storage = mrml.vtkMRMLModelNode(), mrml.vtkMRMLModelStorageNode()
        node.SetAndObservePolyData(to_polydata(l3))
        storage.SetCoordinateSystem(storage.GetCoordinateSystemFromString(space))
        storage.SetFileName(str(tmp_path / f"{space}.{extension}"))
        assert storage.WriteData(node)
        np.testing.assert_allclose(
            corners(read_surface(tmp_path / f"{space}.{extension}")), corners(l3), atol=1e-3
        )


def test_a_file_without_a_declared_space_is_read_as_asked(tmp_path: Path) -> None:
    (tmp_path / "plain.obj").write_text("v 1 2 3\nv 2 2 3\nv 1 3 3\nf 1 2 3\n")
    np.testing.assert_array_equal(read_surface(tmp_path / "plain.obj").vertices[0], [-1, -2, 3])
    np.testing.assert_array_equal(
        read_surface(tmp_path / "plain.obj", default_space="RAS").vertices[0], [1, 2, 3]
    )


def test_bad_requests_are_refused_in_one_line(l3: Mesh, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown surface format 'docx'"):
        write_surface(l3, tmp_path / "L3.docx")
    with pytest.raises(InputError, match="cannot write to"):
        write_surface(l3, tmp_path / "nowhere" / "L3.stl")
    with pytest.raises(InputError, match="no faces"):
        write_surface(Mesh(np.zeros((0, 3)), np.zeros((0, 3), int)), tmp_path / "L3.stl")
    with pytest.raises(InputError, match="does not exist"):
        read_surface(tmp_path / "absent.stl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extension", FORMATS)
def test_a_foreign_file_is_refused(l3: Mesh, extension: str, tmp_path: Path) -> None:
    (tmp_path / f"foreign.{extension}").write_bytes(b"\x00not a surface at all\n" * 5)
    with pytest.raises(InputError, match="not a readable"):
        read_surface(tmp_path / f"foreign.{extension}")


@pytest.mark.parametrize("extension", ["vtp", "vtk", "stl", "ply"])
def test_a_truncated_file_is_refused(l3: Mesh, extension: str, tmp_path: Path) -> None:
    path = write_surface(l3, tmp_path / f"L3.{extension}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match="not a readable"):
        read_surface(path)


def test_a_failed_write_leaves_the_old_file(l3: Mesh, tmp_path: Path) -> None:
    path = write_surface(l3, tmp_path / "L3.vtp")
    before = path.read_bytes()
    with pytest.raises(InputError):
        write_surface(Mesh(np.zeros((0, 3)), np.zeros((0, 3), int)), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["L3.vtp"]
