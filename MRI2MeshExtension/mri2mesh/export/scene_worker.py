"""Builds a MRML scene from a staged folder: ``python -m mri2mesh.export.scene_worker DIR OUT.mrb``.

Run as a process of its own by `scene.write_scene`; imports slicer-core, so nothing else imports this module.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer_core as mrml
import vtk

ANATOMICAL_STRUCTURE = ("123037004", "SCT", "Anatomical Structure")
"""SNOMED CT: the category of every segment."""

_SCENE_VERSION = "Slicer 5.10.0 0"  # of the MRML written; "slicer-core 4.0.0" would draw a warning in Slicer
_VIEWS = (("Red", "Axial", "R"), ("Yellow", "Sagittal", "Y"), ("Green", "Coronal", "G"))


class Application:
    """A scene with the logics that Slicer attaches to it; without them .mrb and closed surfaces fail.

    The application logic gets the scene first: the others find it there.
    """

    def __init__(self, cache: Path) -> None:
        self.scene = mrml.vtkMRMLScene()
        self.logic = mrml.vtkSlicerApplicationLogic()
        self.logic.SetTemporaryPath(str(cache))
        self.logic.SetMRMLScene(self.scene)
        colours = self.logic.GetColorLogic()
        colours.SetMRMLScene(self.scene)
        colours.AddDefaultColorNodes()
        self.remote_io = mrml.vtkMRMLRemoteIOLogic()
        self.remote_io.SetMRMLScene(self.scene)
        self.remote_io.SetMRMLApplicationLogic(self.logic)
        self.remote_io.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        self.data_io = mrml.vtkDataIOManagerLogic()
        self.data_io.SetMRMLScene(self.scene)
        self.data_io.SetMRMLApplicationLogic(self.logic)
        self.data_io.SetAndObserveDataIOManager(self.remote_io.GetDataIOManager())
        self.remote_io.AddDataIOToScene()
        self.modules = [
            mrml.vtkSlicerVolumesLogic(),
            mrml.vtkSlicerSubjectHierarchyModuleLogic(),
            mrml.vtkSlicerSegmentationsModuleLogic(),
        ]
        for module in self.modules:
            module.SetMRMLApplicationLogic(self.logic)
            module.SetMRMLScene(self.scene)


def build_scene(scene: Any, staged: Path) -> None:
    """Fill a scene from ``staged/scene.json`` and the files it names (see `scene._stage`)."""
    description = json.loads((staged / "scene.json").read_text(encoding="utf-8"))
    image = add_image(scene, staged, description["image"])
    models = [add_model(scene, staged, structure) for structure in description["structures"]]
    segmentation = add_segmentation(scene, description["structures"], models, image)
    tables = [add_table(scene, table["name"], table["columns"]) for table in description["tables"]]

    hierarchy = scene.GetSubjectHierarchyNode()
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), description["name"])
    for plugin, nodes in (
        ("Volumes", [image]),
        ("Models", models),
        ("Segmentations", [segmentation]),
        ("Tables", tables),
    ):
        for node in nodes:
            item = hierarchy.CreateItem(folder, node)
            hierarchy.SetItemOwnerPluginName(item, plugin)
    add_views(scene, image, description["centre_ras"], description["height_mm"])


def add_image(scene: Any, staged: Path, image: Mapping[str, Any]) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", image["name"])
    storage = mrml.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(staged / image["file"]))
    if not storage.ReadData(node):
        raise RuntimeError(f"MRML cannot read {image['file']}")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*image["window"])
    return node


def add_model(scene: Any, staged: Path, structure: Mapping[str, Any]) -> Any:
    """One model; read by Slicer's own reader, which brings it from the file's LPS to RAS."""
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", structure["name"])
    reader = mrml.vtkMRMLModelStorageNode()
    reader.SetFileName(str(staged / structure["file"]))
    if not reader.ReadData(node):
        raise RuntimeError(f"MRML cannot read {structure['file']}")
    node.SetDescription(structure["meaning"])
    node.SetAttribute(mrml.vtkSegment.GetTerminologyEntryTagName(), terminology(structure))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(structure["colour"])
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)
    display.SetActiveScalar("uncertainty_mm", vtk.vtkDataObject.POINT)
    display.SetScalarVisibility(False)  # the anatomy's colour first; the scalars are one click away
    storage = scene.AddNewNodeByClass("vtkMRMLModelStorageNode")
    storage.SetDefaultWriteFileExtension("vtp")
    node.SetAndObserveStorageNodeID(storage.GetID())
    return node


def add_segmentation(
    scene: Any, structures: Sequence[Mapping[str, Any]], models: Sequence[Any], image: Any
) -> Any:
    """All structures as closed-surface segments with SNOMED CT terms; hidden, as the models show the same."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(image)
    node.SetSourceRepresentationToClosedSurface()
    for structure, model in zip(structures, models, strict=True):
        surface = vtk.vtkPolyData()
        surface.SetPoints(model.GetPolyData().GetPoints())
        surface.SetPolys(model.GetPolyData().GetPolys())
        segment = mrml.vtkSegment()
        segment.SetName(structure["name"])
        segment.SetColor(structure["colour"])
        segment.SetTag(segment.GetTerminologyEntryTagName(), terminology(structure))
        segment.AddRepresentation(closed_surface(), surface)
        node.GetSegmentation().AddSegment(segment, structure["name"])
    node.GetDisplayNode().SetVisibility(False)
    return node


def closed_surface() -> str:
    return str(mrml.vtkSegmentationConverter.GetClosedSurfaceRepresentationName())


def terminology(structure: Mapping[str, Any]) -> str:
    """Slicer's text for a coded anatomical structure."""
    return str(
        mrml.vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry(
            "Segmentation category and type - 3D Slicer General Anatomy list",
            *ANATOMICAL_STRUCTURE,
            *(structure["code"], "SCT", structure["meaning"]),
            *(
                (structure["modifier"][0], "SCT", structure["modifier"][1])
                if structure["modifier"]
                else ("", "", "")
            ),
            "Anatomic codes - DICOM master list",
            *("", "", "", "", "", ""),
        )
    )


def add_table(scene: Any, name: str, columns: Mapping[str, Sequence[Any]]) -> Any:
    """A table node; columns of numbers where every known value is one, of text otherwise."""
    table = vtk.vtkTable()
    for title, values in columns.items():
        numbers = all(
            isinstance(value, (int, float)) and not isinstance(value, bool)
            for value in values
            if value is not None
        )
        column = vtk.vtkDoubleArray() if numbers and values else vtk.vtkStringArray()
        column.SetName(title)
        for value in values:
            if numbers:
                column.InsertNextValue(float("nan") if value is None else value)
            else:
                column.InsertNextValue(
                    "" if value is None else {True: "yes", False: "no"}.get(value, str(value))
                )
        table.AddColumn(column)
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def add_views(scene: Any, image: Any, centre: Sequence[float], height: float) -> None:
    """Slice views on the middle of the spine showing the image, and a 3D camera in front of the patient."""
    mrml.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    for name, orientation, label in _VIEWS:
        view = scene.CreateNodeByClass("vtkMRMLSliceNode")
        view.SetSingletonTag(name)
        view.SetName(name)
        view.SetLayoutName(name)
        view.SetLayoutLabel(label)
        view = scene.AddNode(view)
        view.SetOrientation(orientation)
        view.SetDimensions(400, 400, 1)
        view.SetFieldOfView(height, height, 1)
        view.JumpSliceByCentering(*centre)
        composite = scene.CreateNodeByClass("vtkMRMLSliceCompositeNode")
        composite.SetSingletonTag(name)
        composite.SetLayoutName(name)
        composite = scene.AddNode(composite)
        composite.SetBackgroundVolumeID(image.GetID())
    view = scene.CreateNodeByClass("vtkMRMLViewNode")
    view.SetSingletonTag("1")
    view.SetLayoutName("1")
    view.SetName("View1")
    scene.AddNode(view)
    camera = scene.AddNewNodeByClass("vtkMRMLCameraNode", "Camera")
    camera.SetLayoutName("1")
    camera.SetFocalPoint(*centre)
    camera.SetPosition(centre[0], centre[1] + 2.2 * height, centre[2])
    camera.SetViewUp(0, 0, 1)


def main(arguments: Sequence[str]) -> int:
    """Status 0 and the file written, or 1 and the reason as the last line of standard error."""
    staged, target = Path(arguments[0]), Path(arguments[1])
    with tempfile.TemporaryDirectory(prefix="mri2mesh-") as cache:
        application = Application(Path(cache))
        application.scene.SetVersion(_SCENE_VERSION)
        build_scene(application.scene, staged)
        if not application.scene.WriteToMRB(str(target)):
            print("MRML refused to pack the scene", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
