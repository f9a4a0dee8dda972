"""The scene, written by real MRML, opens in real MRML with everything in place."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vtkmodules.vtkCommonCore import reference as vtk_reference
from vtkmodules.vtkCommonCore import vtkIdList
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from mri2mesh.errors import InputError
from mri2mesh.export import scene as scene_module
from mri2mesh.export.scene import SceneError, write_scene
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.vtk_bridge import from_polydata
from mri2mesh.reconstruction import Reconstruction

pytest.importorskip("slicer_core", reason="needs slicer-core: pip install slicer-core")


@pytest.fixture(scope="module")
def bundle(spine: Reconstruction, oblique_image: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .mrb, moved elsewhere after it was written."""
    written = write_scene(
        spine, oblique_image, tmp_path_factory.mktemp("written") / "scene.mrb", name="Run 7"
    )
    moved = tmp_path_factory.mktemp("moved") / "renamed.mrb"
    shutil.move(written, moved)
    return moved


@pytest.fixture(scope="module")
def opened(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from mri2mesh_slicer.runs.headless import Application

    application = Application(tmp_path_factory.mktemp("cache"))
    assert application.scene.ReadFromMRB(str(bundle))
    yield application.scene
    application.scene.Clear(True)


def test_models_are_in_place_named_and_coloured(opened: Any, spine: Reconstruction) -> None:
    # and one more, of the lines that measures were taken along
    assert opened.GetNumberOfNodesByClass("vtkMRMLModelNode") == len(spine.structures) + 1
    for item in spine.structures:
        node = opened.GetFirstNode(item.name, "vtkMRMLModelNode")
        surface = from_polydata(node.GetPolyData())
        np.testing.assert_allclose(surface.vertices, item.mesh.vertices, atol=1e-3)
        np.testing.assert_array_equal(surface.faces, item.mesh.faces)
        np.testing.assert_allclose(node.GetDisplayNode().GetColor(), item.structure.colour, atol=1e-3)
        assert node.GetDisplayNode().GetVisibility2D()


def test_models_carry_their_scalars_and_codes(opened: Any, spine: Reconstruction) -> None:
    node = opened.GetFirstNode("L3", "vtkMRMLModelNode")
    arrays = from_polydata(node.GetPolyData()).point_data
    np.testing.assert_array_equal(arrays["region"], spine["L3"].mesh.regions)
    np.testing.assert_array_equal(arrays["uncertainty_mm"], spine["L3"].uncertainty_mm)
    np.testing.assert_array_equal(arrays["support"], spine["L3"].support)
    assert "SCT^36470004^" in node.GetAttribute("TerminologyEntry")


def test_the_image_is_in_place_with_its_values(opened: Any, oblique_image: Volume) -> None:
    """Slicer may turn a left-handed grid round: what counts is the value at each point of the patient."""
    node = opened.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    matrix = vtkMatrix4x4()
    node.GetRASToIJKMatrix(matrix)
    ijk_from_ras = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
    image = node.GetImageData()
    assert image.GetDimensions() == oblique_image.array.shape[::-1]
    for ijk in ([0, 0, 0], [149, 169, 19], [80, 60, 7], [75, 84, 12]):
        found = ijk_from_ras @ [*oblique_image.ras_from_ijk(ijk), 1]
        np.testing.assert_allclose(found, found.round(), atol=1e-3)
        value = image.GetScalarComponentAsDouble(*found.round().astype(int)[:3].tolist(), 0)
        assert value == pytest.approx(float(oblique_image.array[tuple(ijk[::-1])]), rel=1e-6)


def test_everything_of_the_run_is_in_one_folder(opened: Any, spine: Reconstruction) -> None:
    hierarchy = opened.GetSubjectHierarchyNode()
    folder = hierarchy.GetItemByName("Run 7")
    children = vtkIdList()
    hierarchy.GetItemChildren(folder, children)
    names = [hierarchy.GetItemName(children.GetId(n)) for n in range(children.GetNumberOfIds())]
    assert names == [
        *(item.name for item in spine.structures),
        "Segmentation",
        "Measured lines",
        "Structures",
        "Measures",
        "Checks",
        "Report",
    ]


def test_segments_are_coded_closed_surfaces_in_place(opened: Any, spine: Reconstruction) -> None:
    node = opened.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    segmentation = node.GetSegmentation()
    assert segmentation.GetSourceRepresentationName() == "Closed surface"
    segments = [segmentation.GetNthSegment(n) for n in range(segmentation.GetNumberOfSegments())]
    assert [segment.GetName() for segment in segments] == [item.name for item in spine.structures]
    for segment, item in zip(segments, spine.structures, strict=True):
        surface = from_polydata(segment.GetRepresentation("Closed surface"))
        np.testing.assert_allclose(surface.vertices, item.mesh.vertices, atol=1e-3)
        np.testing.assert_allclose(segment.GetColor(), item.structure.colour, atol=1e-3)
        term = vtk_reference("")
        assert segment.GetTag("TerminologyEntry", term)
        expected = f"~SCT^123037004^Anatomical Structure~SCT^{item.structure.code}^{item.structure.meaning}~"
        assert expected in str(term)


def test_tables_hold_the_report(opened: Any) -> None:
    structures = opened.GetFirstNode("Structures", "vtkMRMLTableNode").GetTable()
    assert structures.GetNumberOfRows() == 11
    assert structures.GetColumnByName("volume_mm3").GetValue(4) == pytest.approx(
        4 / 3 * np.pi * 25 * 16 * 12, rel=0.02
    )
    checks = opened.GetFirstNode("Checks", "vtkMRMLTableNode").GetTable()
    assert checks.GetColumnByName("passed").GetValue(1) == "no"


def test_slice_views_show_the_image_at_the_spine(opened: Any) -> None:
    image = opened.GetFirstNodeByClass("vtkMRMLScalarVolumeNode").GetID()
    for name, normal in (("Red", 2), ("Yellow", 0), ("Green", 1)):
        assert opened.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}").GetBackgroundVolumeID() == image
        matrix = opened.GetNodeByID(f"vtkMRMLSliceNode{name}").GetSliceToRAS()
        assert abs(matrix.GetElement(normal, 2)) == pytest.approx(1)
        assert matrix.GetElement(2, 3) == pytest.approx(-25, abs=30)


def test_the_bundle_names_no_folder_of_the_machine_and_nobody(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        text = next(archive.read(name) for name in archive.namelist() if name.endswith(".mrml")).decode()
        everything = b"".join(archive.read(name) for name in archive.namelist())
    files = re.findall(r'(?:fileName|fileListMember\d+)="([^"]*)"', text)
    assert len(files) >= 14 and all(name.startswith("Data/") for name in files)
    assert b"Doe^Jane" not in everything
    assert str(bundle.parents[1]) not in text and tempfile.gettempdir() not in text


def test_a_worker_that_fails_says_why_and_leaves_nothing(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_module.sys, "executable", shutil.which("false"))
    with pytest.raises(SceneError, match="exit status 1"):
        write_scene(spine, oblique_image, tmp_path / "scene.mrb")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_slicer_core_is_said_with_what_to_do(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install slicer-core"):
        write_scene(spine, oblique_image, tmp_path / "scene.mrb")


def test_another_extension_is_refused(spine: Reconstruction, oblique_image: Volume, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="change the name"):
        write_scene(spine, oblique_image, tmp_path / "scene.mrml")
