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
from mri2mesh_slicer.folders.radiograph_folder import RadiographFolder
from mri2mesh_slicer.observers import Observers
from mri2mesh_slicer.radiographs import models as radiograph_models
from mri2mesh_slicer.radiographs.camera_attribute import put_onto_detector, take_off_detector
from mri2mesh_slicer.radiographs.views import ViewsOfRadiograph, world_from

NOT_LINEAR = "the image is under a transform that is not linear: harden it or take the image out of it"


def place_radiograph(
    scene: Any, volume_node: Any, camera: XrayCamera, *, listed: bool = True
) -> PlacedRadiograph:
    """The image stands where its detector was, with its source and its beam, in a folder under the image's item.

    camera: in the frame of the volume's parent transform, RAS where there is none; the image's pixels are those of
    the file (first row on top). The node is moved, not its pixels. listed: see `RadiographFolder`.
    Raises InputError for an image of another size, with several frames, or under a transform that is not linear.
    """
    if world_from(volume_node) is None:
        raise InputError(NOT_LINEAR)
    put_onto_detector(volume_node, camera)
    return PlacedRadiograph(scene, volume_node, camera, listed=listed)


class PlacedRadiograph:
    """See `place_radiograph`. Follows the volume's parent transform (a tracked C-arm) until `remove`; hold on to it.

    What is drawn is not saved with the scene; the geometry is, on the volume node: place the image again with
    `camera_attribute.camera_of` after loading. image_node, beam_node: models. camera_node: looks from the source, for
    a view of the image's own aspect.
    """

    def __init__(self, scene: Any, volume_node: Any, camera: XrayCamera, *, listed: bool = True) -> None:
        self.volume_node, self.camera = volume_node, camera
        self.removed = False
        self._listeners: list[Callable[[], None]] = []
        self.folder = RadiographFolder(scene, volume_node, listed=listed)
        self._views = ViewsOfRadiograph(volume_node)
        self.image_node = self.folder.add_model("image on the detector")
        self.beam_node = self.folder.add_model("source and beam")
        self.beam_node.GetDisplayNode().SetBackfaceCulling(True)  # the ball is not seen from within
        self.camera_node = self.folder.add("vtkMRMLCameraNode", "seen from the source")
        self._show_image()
        self._refresh()
        self.look_from_source(self.camera_node, camera.size[1] / camera.size[0])
        self._observers = Observers()
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        self._observers.add(volume_node, moved, self._follow_transform)
        self._observers.add(scene, slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._on_node_removed)
        self._observers.add(scene, slicer.vtkMRMLScene.StartCloseEvent, self._on_close)

    @property
    def to_world(self) -> NDArray[np.float64]:
        """[4, 4] from the camera's frame to RAS: the volume's parent transform. Raises InputError if not linear."""
        matrix = world_from(self.volume_node)
        if matrix is None:
            raise InputError(NOT_LINEAR)
        return matrix

    @property
    def slice_nodes(self) -> list[Any]:
        """The slice views that show the detector."""
        return list(self._views.slices)

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
        self._views.show_slice(slice_node, self.camera, self.to_world)
        self._notify()

    def hide_from_slice(self, slice_node: Any) -> None:
        """Nothing for a view that does not show the image."""
        self._views.release_slice(slice_node)
        self._notify()

    def look_from_source(self, camera_node: Any, aspect: float) -> None:
        """A 3D view's camera goes into the source and stays there; aspect: width / height of the view's window.

        Call again when the window is resized. `leave_source` puts the camera back.
        """
        self._views.aim(camera_node, self.camera, self.to_world, aspect)

    def leave_source(self, camera_node: Any) -> None:
        """Nothing for a camera that is not in the source."""
        self._views.release_camera(camera_node)

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

    def remove(self) -> None:
        """Everything this display made is gone; views and the volume's own geometry are as before."""
        if not self.removed:
            self._detach()
            take_off_detector(self.volume_node)

    def _detach(self) -> None:
        if self.removed:
            return
        self.removed = True
        self._observers.clear()
        self._notify()
        self._views.clear()
        self.folder.clear()

    def _show_image(self) -> None:
        if self.volume_node.GetDisplayNode() is None:
            self.volume_node.CreateDefaultDisplayNodes()
        display = self.image_node.GetDisplayNode()
        display.SetColor(1, 1, 1)
        display.SetLighting(False)
        display.SetInterpolateTexture(True)
        # What a slice view shows too: window and level come with it.
        display.SetTextureImageDataConnection(self.volume_node.GetDisplayNode().GetImageDataConnection())

    def _refresh(self) -> None:
        self.image_node.SetAndObservePolyData(radiograph_models.image_plane(self.camera))
        self.beam_node.SetAndObservePolyData(radiograph_models.beam(self.camera))
        self._views.refresh(self.camera, self.to_world)
        self._notify()

    def _follow_transform(self, *_: Any) -> None:
        self.folder.follow_transform()
        to_world = world_from(self.volume_node)
        if to_world is not None:
            self._views.refresh(self.camera, to_world)
        self._notify()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _caller: Any, _event: str, node: Any) -> None:
        self._views.forget(node)
        if node is self.volume_node or self.folder.forget(node):
            self._detach()

    def _on_close(self, *_: Any) -> None:
        self._detach()

    def _notify(self) -> None:
        for listener in list(self._listeners):
            listener()
