"""A segmentation in the scene: its segments are listed with what each is taken for, and become surfaces beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.segmentation.painted import label_map, vertebra
from host.application import wait_until
from mri2mesh.engines.registry import get_engine
from mri2mesh.export.surfaces import read_surface
from mri2mesh.geometry.checks import is_watertight
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh_slicer.labels.segments import segments_of
from mri2mesh_slicer.labels.taking import label_volume_of
from mri2mesh_slicer.runs.runs import runs_of
from mri2mesh_slicer.runs.terminology import terminology_tag
from panel.watched import LONG

RED = (0.9, 0.1, 0.1)


@pytest.fixture(scope="module")
def painted() -> Any:
    return label_map({5: vertebra("L3", 0.0, 3)}, (1.5, 1.5, 1.5))


def add_segmentation(slicer: Any, painted: Any, name: str = "vertebrae_L3", reference: bool = True) -> Any:
    """A segmentation node with one segment, drawn on a volume of the same grid, as Segment Editor leaves it."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = slicer.vtkOrientedImageData()
    array = (painted.labels == 5).astype(np.uint8)
    image.SetDimensions(*array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(painted.ijk_to_ras.ravel())
    image.SetImageToWorldMatrix(matrix)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    node.CreateDefaultDisplayNodes()
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(RED)
    segment.AddRepresentation(slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName(), image)
    node.GetSegmentation().AddSegment(segment, "one")
    if reference:
        node.GetSegmentation().SetConversionParameter(
            slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName(),
            slicer.vtkSegmentationConverter.SerializeImageGeometry(image),
        )
    return node


def listed(inputs: Any) -> list[tuple[str, str]]:
    table = inputs.table
    rows = range(table.rowCount)
    return [(table.item(row, 0).text(), str(table.cellWidget(row, 1).currentText)) for row in rows]


def test_the_voxels_are_those_that_were_drawn_where_they_are(slicer, painted):
    node = add_segmentation(slicer, painted)
    volume = label_volume_of(node)
    assert volume.array.shape == painted.labels.shape
    np.testing.assert_allclose(volume.ijk_to_ras, painted.ijk_to_ras, atol=1e-6)
    np.testing.assert_array_equal(volume.array != 0, painted.labels != 0)


def test_segments_without_an_image_do_not_seem_to_be_cut_off(slicer, painted):
    volume = label_volume_of(add_segmentation(slicer, painted, reference=False))
    drawn = painted.ras_from_ijk(np.argwhere(painted.labels)[:, ::-1])
    found = volume.ras_from_ijk(np.argwhere(volume.array)[:, ::-1])
    np.testing.assert_allclose(found.mean(axis=0), drawn.mean(axis=0), atol=1e-4)
    assert not any(volume.array.take(end, axis).any() for axis in range(3) for end in (0, -1))


def test_segments_are_listed_with_what_they_are_taken_for_and_can_be_changed(
    panel, slicer, painted, tmp_path
):
    node = add_segmentation(slicer, painted, name="my third one")
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel.panel.method.engine is get_engine("segmentation")
    inputs = panel.panel.method.inputs
    assert listed(inputs) == [("my third one", "nothing")]
    assert "at least one segment" in inputs.problem()
    assert "1 segments, 0 of them bones" in panel.ui.recognisedLabel.text
    bones = inputs.table.cellWidget(0, 1)
    bones.setCurrentIndex(bones.findData("L3"))
    bones.activated.emit(bones.currentIndex)
    assert inputs.problem() == ""
    request = inputs.prepare()(tmp_path)
    assert request["options"]["segments"] == ["1=L3"]
    written: Volume = read_volume(Path(request["inputs"][0]))
    np.testing.assert_array_equal(written.array != 0, painted.labels != 0)


def test_terminology_says_what_a_name_does_not(slicer, painted):
    from mri2mesh.anatomy.structures import STRUCTURES
    from mri2mesh_slicer.runs.terminology import terminology_of

    node = add_segmentation(slicer, painted, name="one")
    node.GetSegmentation().GetSegment("one").SetTag(
        terminology_tag(), terminology_of(STRUCTURES["hip_right"])
    )
    assert [row.taken_for for row in segments_of(node)] == ["hip_right"]


def test_one_click_makes_a_closed_surface_beside_it_in_its_colour(panel, slicer, painted):
    node = add_segmentation(slicer, painted)
    panel.ui.inputSelector.setCurrentNode(node)
    panel.ui.runButton.click()
    wait_until(lambda: len(runs_of(slicer.mrmlScene)) == 1, LONG)
    (run,) = runs_of(slicer.mrmlScene)
    (model,) = run.models
    assert model.GetName() == "L3"
    assert model.GetDisplayNode().GetColor() == pytest.approx(RED)
    assert run.segmentation.GetSegmentation().GetNthSegment(0).GetColor() == pytest.approx(RED)
    low, high = np.array(model.GetPolyData().GetBounds()).reshape(3, 2).T
    drawn = painted.ras_from_ijk(np.argwhere(painted.labels)[:, ::-1])
    np.testing.assert_allclose(low, drawn.min(axis=0), atol=2.5)
    np.testing.assert_allclose(high, drawn.max(axis=0), atol=2.5)


def test_a_folder_of_label_maps_is_done_as_the_one_chosen_above(panel, slicer, painted, tmp_path):
    """Two label maps and an empty one: two closed surfaces, one reason; pressed again nothing is done twice."""
    folder, results = tmp_path / "labels", tmp_path / "results"
    folder.mkdir()
    vertebra_22 = replace(painted, array=np.where(painted.labels > 0, 22, 0).astype(np.uint16))
    for name in ("one", "two"):
        write_volume(vertebra_22, folder / f"{name}.nii.gz")
    write_volume(replace(painted, array=np.zeros_like(painted.labels)), folder / "empty.nii.gz")
    panel.ui.inputSelector.setCurrentNode(add_label_map(slicer, vertebra_22))
    assert panel.panel.method.engine is get_engine("segmentation")
    assert listed(panel.panel.method.inputs)[0][1] == "L3"
    messages = press_for_all(panel, folder, results)
    first, failed, *_ = messages[-1].splitlines()
    assert first == "2 done, 1 not."
    assert failed.startswith("empty.nii.gz: ") and "the label map is empty" in failed.lower()
    assert sorted(path.name for path in results.iterdir()) == ["cases.csv", "one", "two"]
    for name in ("one", "two"):
        assert is_watertight(read_surface(results / name / "L3.vtp"))
    again = press_for_all(panel, folder, results)
    assert again[-1].startswith("2 done, 1 not. Done before: 2.")


def add_label_map(slicer: Any, labels: Volume) -> Any:
    """A label map volume in the scene, as *Add Data* makes it of a file loaded as one."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = vtk.vtkImageData()
    image.SetDimensions(*labels.array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(labels.array.ravel(), deep=True))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    node.SetAndObserveImageData(image)
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(labels.ijk_to_ras.ravel())
    node.SetIJKToRASMatrix(matrix)
    node.CreateDefaultDisplayNodes()
    return node


def press_for_all(panel: Any, folder: Path, results: Path) -> list[str]:
    """Presses *Apply to all*; the messages until the end."""
    ui, messages = panel.ui, list[str]()
    ui.batchInput.setCurrentPath(str(folder))
    ui.batchOutput.setCurrentPath(str(results))
    ui.batchButton.click()

    def ended() -> bool:
        if not messages or messages[-1] != ui.batchMessage.text:
            messages.append(ui.batchMessage.text)
        return not panel.panel.batch.busy

    wait_until(ended, LONG)
    return messages
