"""A radiograph in patient space: the image on its detector, the source, the beam, and the views that show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh_slicer import radiograph_models
from mri2mesh_slicer.camera_attribute import put_onto_detector, take_off_detector
from mri2mesh_slicer.mrml_nodes import remove_node
from mri2mesh_slicer.observers import Observers
from mri2mesh_slicer.radiograph_views import (
    CameraPose,
    SliceState,
    pose_at_source,
    show_in_slice,
    world_from,
)

FOLDER = "MRI2Mesh.RadiographFolder"
"""Attribute of the subject hierarchy folder, under the image's own item, that holds what was made here."""
COLOUR = (0.55, 0.75, 0.95)


class PlacedRadiograph:
    """See `place_radiograph`. Follows the volume's parent transform (a tracked C-arm) until `remove`.

    What is drawn is not saved with the scene; the geometry is, on the volume node: place the image again with
    `camera_attribute.camera_of` after loading.
    """

    def __init__(self, scene: Any, volume_node: Any, camera: XrayCamera) -> None:
        put_onto_detector(volume_node, camera)
        self.scene, self.volume_node, self.camera = scene, volume_node, camera
        self.folder = _fresh_folder(scene, volume_node)
        self._listeners: list[Callable[[], None]] = []
        self._slices: dict[Any, SliceState] = {}
        self._aimed: dict[Any, tuple[CameraPose, float]] = {}
        self._nodes: list[Any] = []
        self.image_node = self._add_model("image on the detector", radiograph_models.image_plane(camera))
        self.beam_node = self._add_model("source and beam", radiograph_models.beam(camera))
        self.beam_node.GetDisplayNode().SetBackfaceCulling(True)  # the source is not seen from within
        self._show_image()
        self.camera_node = self.add_node("vtkMRMLCameraNode", "seen from the source")
        self._observers = Observers()
        events = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        self._observers.add(volume_node, events, self._follow_transform)
        self._observers.add(scene, slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._on_node_removed)
        self._observers.add(scene, slicer.vtkMRMLScene.StartCloseEvent, self._on_close)
        self.look_from_source(self.camera_node, camera.size[1] / camera.size[0])
        self._refresh()

    @property
    def to_world(self) -> NDArray[np.float64]:
        """[4, 4] from the frame of the camera to RAS: the volume's parent transform."""
        matrix = world_from(self.volume_node)
        if matrix is None:
            raise InputError("the image is under a transform that is not linear: harden it or take it out")
        return matrix

    @property
    def slice_nodes(self) -> list[Any]:
        """The slice views that show the detector."""
        return list(self._slices)

    @property
    def mirrored_from_source(self) -> bool:
        """True where the image is stored as seen from behind the detector: a 3D view from the source mirrors it."""
        columns, rows, beam = self.camera.axes_ras
        return bool(np.cross(columns, rows) @ beam < 0)

    def set_camera(self, camera: XrayCamera) -> None:
        """Another geometry. Raises InputError, and changes nothing, for one that is not of this image."""
        put_onto_detector(self.volume_node, camera)
        self.camera = camera
        self._refresh()

    def show_in_slice(self, slice_node: Any) -> None:
        """A slice view shows the image as it is stored; `hide_from_slice` puts back what it showed before."""
        self._slices.setdefault(slice_node, SliceState.of(slice_node))
        show_in_slice(slice_node, self.volume_node, self.camera, self.to_world)
        self._notify()

    def hide_from_slice(self, slice_node: Any) -> None:
        """Nothing for a view that does not show the image."""
        before = self._slices.pop(slice_node, None)
        if before is not None:
            before.apply(slice_node)
            self._notify()

    def look_from_source(self, camera_node: Any, aspect: float) -> None:
        """A 3D view's camera goes into the source and stays there; aspect: width / height of the view's window.

        Call again when the window is resized. `leave_source` puts the camera back.
        """
        before = self._aimed[camera_node][0] if camera_node in self._aimed else CameraPose.of(camera_node)
        self._aimed[camera_node] = before, aspect
        pose_at_source(self.camera, self.to_world, aspect).apply(camera_node)

    def leave_source(self, camera_node: Any) -> None:
        """Nothing for a camera that is not in the source."""
        before, _ = self._aimed.pop(camera_node, (None, 1.0))
        if before is not None:
            before.apply(camera_node)

    @property
    def visible(self) -> bool:
        """Whether 3D views show the image, its beam and the outlines over it; slice views show it in any case."""
        return bool(self.image_node.GetDisplayNode().GetVisibility())

    def set_visible(self, visible: bool) -> None:
        """Hide the others to look from one source: their detectors may stand in its way."""
        for node in (self.image_node, self.beam_node):
            node.GetDisplayNode().SetVisibility(visible)
        self._notify()

    def add_listener(self, listener: Callable[[], None]) -> None:
        """Called when the geometry, the transform, the visibility or the slice views have changed, and at the end."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[], None]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def add_node(self, class_name: str, name: str) -> Any:
        """A node of this display: in its folder, under the image's transform, not saved, gone with it."""
        node = self.scene.AddNewNodeByClass(class_name, f"{self.volume_node.GetName()}: {name}")
        node.SetSaveWithScene(False)
        hierarchy = self.scene.GetSubjectHierarchyNode()
        hierarchy.CreateItem(self.folder, node)
        if class_name != "vtkMRMLCameraNode":
            node.SetAndObserveTransformNodeID(self.volume_node.GetTransformNodeID())
        self._nodes.append(node)
        return node

    def remove_node(self, node: Any) -> None:
        if node in self._nodes:
            self._nodes.remove(node)
            remove_node(self.scene, node)

    @property
    def removed(self) -> bool:
        return not self._nodes

    def remove(self) -> None:
        """Everything this display made is gone, views and the volume's own geometry are as before."""
        self._detach()
        if self.volume_node.GetScene() is not None:
            take_off_detector(self.volume_node)

    def _detach(self) -> None:
        if self.removed:
            return
        self._observers.clear()
        for slice_node in list(self._slices):
            self.hide_from_slice(slice_node)
        for camera_node in list(self._aimed):
            self.leave_source(camera_node)
        nodes, self._nodes = self._nodes, []
        for node in nodes:
            remove_node(self.scene, node)
        self.scene.GetSubjectHierarchyNode().RemoveItem(self.folder)
        self._notify()

    def _add_model(self, name: str, polydata: vtk.vtkPolyData) -> Any:
        node = self.add_node("vtkMRMLModelNode", name)
        node.SetAndObservePolyData(polydata)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetSaveWithScene(False)
        display.SetColor(*COLOUR)
        display.SetVisibility2D(False)
        return node

    def _show_image(self) -> None:
        if self.volume_node.GetDisplayNode() is None:
            self.volume_node.CreateDefaultDisplayNodes()
        display = self.image_node.GetDisplayNode()
        display.SetColor(1, 1, 1)
        display.SetLighting(False)
        display.SetInterpolateTexture(True)
        display.SetTextureImageDataConnection(self.volume_node.GetDisplayNode().GetImageDataConnection())

    def _refresh(self) -> None:
        self.image_node.SetAndObservePolyData(radiograph_models.image_plane(self.camera))
        self.beam_node.SetAndObservePolyData(radiograph_models.beam(self.camera))
        self._refresh_views()

    def _refresh_views(self) -> None:
        for slice_node in self._slices:
            show_in_slice(slice_node, self.volume_node, self.camera, self.to_world)
        for camera_node, (_, aspect) in self._aimed.items():
            pose_at_source(self.camera, self.to_world, aspect).apply(camera_node)
        self._notify()

    def _follow_transform(self, *_: Any) -> None:
        for node in self._nodes:
            if node is not self.camera_node:
                node.SetAndObserveTransformNodeID(self.volume_node.GetTransformNodeID())
        if world_from(self.volume_node) is not None:
            self._refresh_views()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _caller: Any, _event: str, node: Any) -> None:
        self._slices.pop(node, None)
        self._aimed.pop(node, None)
        if node is self.volume_node or node in self._nodes:
            self._detach()

    def _on_close(self, *_: Any) -> None:
        self._detach()

    def _notify(self) -> None:
        for listener in list(self._listeners):
            listener()


def place_radiograph(scene: Any, volume_node: Any, camera: XrayCamera) -> PlacedRadiograph:
    """The image stands where its detector was, with its source and its beam, in a folder under the image's item.

    camera: in the frame of the volume's parent transform, RAS where there is none; the image's pixels are those of
    the file (first row on top). The node is moved, not its pixels. Raises InputError for an image of another size, with
    several frames, or under a transform that is not linear.
    """
    if world_from(volume_node) is None:
        raise InputError("the image is under a transform that is not linear: harden it or take it out")
    return PlacedRadiograph(scene, volume_node, camera)


def _fresh_folder(scene: Any, volume_node: Any) -> int:
    """An empty folder under the image's item; an earlier one, of a scene that was saved, goes."""
    hierarchy = scene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(volume_node)
    if not item:
        item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), volume_node)
    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, children)
    for index in range(children.GetNumberOfIds()):
        if hierarchy.GetItemAttribute(children.GetId(index), FOLDER):
            hierarchy.RemoveItem(children.GetId(index))
    folder = hierarchy.CreateFolderItem(item, "X-ray geometry")
    hierarchy.SetItemAttribute(folder, FOLDER, "1")
    return int(folder)
