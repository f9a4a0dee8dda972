"""A run in the scene: whole, in its place, undone in one step, saved and loaded, and gone without a trace."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vtk
from scipy.spatial.transform import Rotation

from host import mrml
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.errors import InputError
from mri2mesh.geometry.transforms import compose
from mri2mesh.geometry.vtk_bridge import from_polydata
from mri2mesh_slicer.export.surfaces import mesh_of
from mri2mesh_slicer.runs import scene_building
from mri2mesh_slicer.runs.results import RunResult
from mri2mesh_slicer.runs.runs import LABEL, RunNodes, find_run, runs_of
from mri2mesh_slicer.runs.scalars import scalars_of, show_scalars
from mri2mesh_slicer.runs.scene_building import add_run, remove_run
from scene.made_runs import SPINE
from scene.nodes import bending_transform, column, ids, linear_transform, names_in, segments, tag, volume_node

CONTENTS = [*SPINE, "Segmentation", "Measured lines", "Structures", "Measures", "Checks", "Report"]


@pytest.fixture
def image(scene: Any) -> Any:
    return volume_node(scene, np.zeros((4, 5, 6), np.float32))


@pytest.fixture
def run(scene: Any, image: Any, spine: RunResult) -> RunNodes:
    return add_run(scene, spine, [image], name="Spine of image")


def test_everything_is_in_one_folder_beside_the_input(scene: Any, run: RunNodes, image: Any) -> None:
    hierarchy = scene.GetSubjectHierarchyNode()
    assert names_in(scene, run.folder_item) == CONTENTS
    assert names_in(scene, hierarchy.GetSceneItemID()) == ["image", "Spine of image"]
    assert hierarchy.IsItemLevel(run.folder_item, "Folder")
    assert run.inputs == [image] and run.engine == "mri2mesh" and run.name == "Spine of image"


def test_the_folder_goes_into_the_study_of_the_input(scene: Any, image: Any, spine: RunResult) -> None:
    hierarchy = scene.GetSubjectHierarchyNode()
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "somebody")
    study = hierarchy.CreateStudyItem(patient, "lumbar spine")
    series = hierarchy.CreateFolderItem(study, "series")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(image), series)
    run = add_run(scene, spine, [image], name="run")
    assert hierarchy.GetItemParent(run.folder_item) == study


def test_models_are_named_coloured_coded_and_cut_by_slices(run: RunNodes, spine: RunResult) -> None:
    assert [model.GetName() for model in run.models] == list(SPINE)
    for model in run.models:
        structure, display = STRUCTURES[model.GetName()], model.GetDisplayNode()
        np.testing.assert_allclose(display.GetColor(), structure.colour)
        assert f"~SCT^{structure.code}^{structure.meaning}~" in model.GetAttribute("TerminologyEntry")
        assert (
            display.GetVisibility()
            and display.GetVisibility2D()
            and display.GetSliceIntersectionThickness() == 2
        )
        surface = from_polydata(model.GetPolyData())
        np.testing.assert_array_equal(
            surface.vertices, from_polydata(spine.surfaces[structure.name]).vertices
        )
        np.testing.assert_array_equal(surface.faces, from_polydata(spine.surfaces[structure.name]).faces)


def test_uncertainty_and_support_are_switched_on_with_one_range_for_all(run: RunNodes) -> None:
    displays = [model.GetDisplayNode() for model in run.models]
    assert not any(display.GetScalarVisibility() for display in displays)
    assert scalars_of(run) == {
        "uncertainty_mm": "Uncertainty, mm",
        "support": "Support by the image, 0 to 1",
    }
    for name, upper in (("uncertainty_mm", 2.0), ("support", 1.0)):
        show_scalars(run, name)
        for display in displays:
            assert display.GetScalarVisibility() and display.GetActiveScalarName() == name
            assert display.GetScalarRange() == (0.0, upper) and display.GetColorNode() is not None
    show_scalars(run, None)
    assert not any(display.GetScalarVisibility() for display in displays)
    with pytest.raises(InputError, match="has no Uncertainty along the beam"):
        show_scalars(run, "uncertainty_along_beam_mm")


def test_segments_are_coded_closed_surfaces_and_hidden(run: RunNodes, spine: RunResult) -> None:
    node = run.segmentation
    assert not node.GetDisplayNode().GetVisibility()
    assert node.GetSegmentation().GetSourceRepresentationName() == "Closed surface"
    assert node.GetNodeReferenceID("referenceImageGeometryRef") == run.inputs[0].GetID()
    for segment, name in zip(segments(node), SPINE, strict=True):
        structure = STRUCTURES[name]
        assert (segment.GetName(), tag(segment, LABEL)) == (name, str(structure.label))
        np.testing.assert_allclose(segment.GetColor(), structure.colour)
        assert f"SCT^{structure.code}^" in str(tag(segment, "TerminologyEntry"))
        surface = from_polydata(segment.GetRepresentation("Closed surface"))
        np.testing.assert_array_equal(surface.vertices, from_polydata(spine.surfaces[name]).vertices)


def test_tables_and_the_report_are_kept(run: RunNodes, spine: RunResult) -> None:
    assert column(run.structures_table, "name") == list(SPINE)
    assert column(run.structures_table, "label") == [19, 119, 20]
    assert column(run.checks_table, "passed") == ["yes", "no", "yes"]
    assert run.report_text.GetText() == spine.report.text
    assert run.report == spine.report


def test_rows_list_each_structure_with_its_failed_checks(run: RunNodes, spine: RunResult) -> None:
    rows = run.rows()
    assert [row.name for row in rows] == list(SPINE)
    assert [row.failed for row in rows] == [(), ("40% of the disc is within the image",), ()]
    assert rows[0].volume_mm3 == spine.report.structures[0].volume_mm3 and rows[0].checks == 1


def test_an_unknown_scale_is_said_where_millimetres_are(scene: Any, femur: RunResult) -> None:
    films = [volume_node(scene, np.zeros((1, 48, 40), np.float32), name=name) for name in ("ap", "lateral")]
    run = add_run(scene, femur, films, name="Femur")
    assert run.name == "Femur, scale unknown" and not run.scale_known
    assert run.structures_table.GetName() == "Structures, scale unknown"
    assert run.inputs == films
    assert "SCT^7771000^Left" in run.models[0].GetAttribute("TerminologyEntry")
    assert set(scalars_of(run)) == {
        *("uncertainty_mm", "uncertainty_along_beam_mm", "uncertainty_across_mm", "support")
    }


def test_results_appear_where_the_input_appears_and_move_with_it(
    scene: Any, image: Any, spine: RunResult
) -> None:
    turn = compose(Rotation.from_euler("xyz", [20, -35, 70], degrees=True).as_matrix(), [10, 20, 30])
    transform = linear_transform(scene, turn)
    image.SetAndObserveTransformNodeID(transform.GetID())
    run = add_run(scene, spine, [image], name="run")
    own = from_polydata(spine.surfaces["L1"]).vertices

    def in_world() -> np.ndarray:
        return mesh_of(run.models[2]).vertices

    np.testing.assert_allclose(in_world(), own @ turn[:3, :3].T + turn[:3, 3], atol=1e-4)
    assert run.segmentation.GetParentTransformNode() is transform
    transform.SetMatrixTransformToParent(vtk.vtkMatrix4x4())
    np.testing.assert_allclose(in_world(), own, atol=1e-4)


def test_a_transform_that_bends_is_honoured_too(scene: Any, image: Any, spine: RunResult) -> None:
    transform = bending_transform(scene)
    image.SetAndObserveTransformNodeID(transform.GetID())
    run = add_run(scene, spine, [image], name="run")
    own = from_polydata(spine.surfaces["L1"]).vertices
    expected = [transform.GetTransformToParent().TransformPoint(*map(float, point)) for point in own]
    assert np.abs(np.array(expected) - own).max() > 2
    np.testing.assert_allclose(mesh_of(run.models[2]).vertices, expected, atol=1e-3)


def test_one_undo_takes_it_back_and_redo_brings_it(scene: Any, image: Any, spine: RunResult) -> None:
    hierarchy = scene.GetSubjectHierarchyNode()
    scene.SetUndoOn()
    before = ids(scene)
    add_run(scene, spine, [image], name="run")
    assert scene.GetNumberOfUndoLevels() == 1
    scene.Undo()
    assert ids(scene) == before
    assert names_in(scene, hierarchy.GetSceneItemID()) == ["image"]
    scene.Redo()
    (run,) = runs_of(scene)
    assert [model.GetName() for model in run.models] == list(SPINE)
    assert run.report.engine == "mri2mesh"


def test_a_removed_run_comes_back_by_undo(scene: Any, run: RunNodes) -> None:
    scene.SetUndoOn()
    before = ids(scene)
    remove_run(scene, run.folder_item)
    scene.Undo()
    assert ids(scene) == before


def test_a_failure_half_way_leaves_the_scene_as_it_was(
    scene: Any, image: Any, spine: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise MemoryError

    before = ids(scene)
    monkeypatch.setattr(scene_building, "add_table", fails)
    with pytest.raises(MemoryError):
        add_run(scene, spine, [image], name="run")
    assert ids(scene) == before and not scene.IsBatchProcessing()
    assert names_in(scene, scene.GetSubjectHierarchyNode().GetSceneItemID()) == ["image"]


def test_an_input_that_has_gone_is_said_and_nothing_is_added(
    scene: Any, image: Any, spine: RunResult
) -> None:
    scene.RemoveNode(image)
    before = ids(scene)
    with pytest.raises(InputError, match="no longer in the scene"):
        add_run(scene, spine, [image], name="run")
    assert ids(scene) == before


def test_runs_are_distinguished_and_removed_one_by_one(
    scene: Any, image: Any, run: RunNodes, spine: RunResult
) -> None:
    second = add_run(scene, spine, [image], name="Spine of image")
    assert second.name == "Spine of image (2)" and runs_of(scene) == [run, second]
    remove_run(scene, run.folder_item)
    assert runs_of(scene) == [second] and len(second.models) == 3
    with pytest.raises(InputError, match="no longer in the scene"):
        run.rows()
    with pytest.raises(InputError, match="no longer in the scene"):
        remove_run(scene, scene.GetSubjectHierarchyNode().GetItemByDataNode(image))
    assert add_run(scene, spine, [image], name="Spine of image").name == "Spine of image (3)"


def test_what_the_user_deletes_or_adds_is_respected(scene: Any, run: RunNodes) -> None:
    hierarchy = scene.GetSubjectHierarchyNode()
    own = volume_node(scene, np.zeros((2, 2, 2)), name="own")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(own), run.folder_item)
    scene.RemoveNode(run.models[1])
    scene.RemoveNode(run.segmentation)
    assert [row.name for row in run.rows()] == ["T12", "L1"] and run.segmentation is None
    remove_run(scene, run.folder_item)
    assert names_in(scene, hierarchy.GetSceneItemID()) == ["image", "own"]


def test_a_scene_saved_and_loaded_has_all_of_it(
    scene: Any, image: Any, spine: RunResult, tmp_path: Path
) -> None:
    image.SetAndObserveTransformNodeID(linear_transform(scene, compose(np.eye(3), [5, 6, 7])).GetID())
    run = add_run(scene, spine, [image], name="run")
    show_scalars(run, "support")
    assert scene.WriteToMRB(str(tmp_path / "scene.mrb"))
    loaded = mrml.install(tmp_path / "other").mrmlScene
    assert loaded.ReadFromMRB(str(tmp_path / "scene.mrb"))
    (again,) = runs_of(loaded)
    assert find_run(loaded, again.folder_item) == again
    assert names_in(loaded, again.folder_item) == CONTENTS
    assert again.report == spine.report
    assert [row.name for row in again.rows()] == list(SPINE)
    assert [node.GetName() for node in again.inputs] == ["image"]
    assert column(again.checks_table, "structure") == ["T12", "T12-L1", ""]
    for model in again.models:
        mesh, display = mesh_of(model), model.GetDisplayNode()
        np.testing.assert_allclose(
            mesh.vertices, from_polydata(spine.surfaces[model.GetName()]).vertices + [5, 6, 7], atol=1e-4
        )
        np.testing.assert_array_equal(
            mesh.point_data["support"], from_polydata(spine.surfaces[model.GetName()]).point_data["support"]
        )
        assert display.GetScalarVisibility() and display.GetActiveScalarName() == "support"
        assert display.GetScalarRange() == (0.0, 1.0)
    segment = segments(again.segmentation)[1]
    assert (segment.GetName(), tag(segment, LABEL)) == ("T12-L1", "119")
    remove_run(loaded, again.folder_item)
    assert loaded.GetNumberOfNodesByClass("vtkMRMLModelNode") == 0


def test_a_saved_run_is_loaded_beside_another(scene: Any, run: RunNodes, tmp_path: Path) -> None:
    assert scene.WriteToMRB(str(tmp_path / "scene.mrb"))
    assert scene.ReadFromMRB(str(tmp_path / "scene.mrb"), False)
    first, second = runs_of(scene)
    assert first == run and second.inputs != run.inputs
    assert [row.name for row in second.rows()] == list(SPINE)
    remove_run(scene, run.folder_item)
    assert len(second.models) == len(SPINE)


def test_a_run_of_a_closed_scene_says_so(scene: Any, run: RunNodes) -> None:
    scene.Clear(False)
    assert runs_of(scene) == []
    with pytest.raises(InputError, match="no longer in the scene"):
        run.rows()


def test_fifty_runs_come_and_go_without_a_trace(scene: Any, image: Any, spine: RunResult) -> None:
    hierarchy = scene.GetSubjectHierarchyNode()

    def once() -> None:
        remove_run(scene, add_run(scene, spine, [image], name="run").folder_item)

    before, items = ids(scene), hierarchy.GetNumberOfItems()
    for _ in range(10):
        once()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(40):
        once()
    assert ids(scene) == before and hierarchy.GetNumberOfItems() == items
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown < 20_000  # kilobytes; 40 runs of these surfaces take more
