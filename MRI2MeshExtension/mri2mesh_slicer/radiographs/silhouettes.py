"""Outlines of structures over a radiograph, projected from its source: in 3D on the detector, and in its slice views.

Slicer's own slice projection is parallel. Here the lines lie in the plane of the detector, where any view of that plane
shows them in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import ArrayLike, NDArray

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.silhouettes import Outline, Silhouette
from mri2mesh.geometry.vtk_bridge import from_polydata
from mri2mesh_slicer.mrml_nodes import transform_to_world
from mri2mesh_slicer.observers import Observers
from mri2mesh_slicer.radiographs.display import PlacedRadiograph
from mri2mesh_slicer.radiographs.models import cells_of, points_of
from mri2mesh_slicer.radiographs.views import world_from

LINE_WIDTH = 2


class SilhouetteOverlay:
    """Keeps the outlines of models over a placed radiograph true until `stop`, which the radiograph's `remove` calls.

    models: vtkMRMLModelNode. surface_to_view: [4, 4] in the frame of the radiograph's camera, what a fit corrected of
    this view's geometry (`RadiographView.surface_to_view`); the identity by default; another one counts from the next
    change of a model on. The radiograph keeps its overlays alive.
    """

    def __init__(
        self,
        scene: Any,
        radiograph: PlacedRadiograph,
        models: Sequence[Any],
        surface_to_view: ArrayLike | None = None,
    ) -> None:
        self.radiograph = radiograph
        self.surface_to_view = (
            np.eye(4) if surface_to_view is None else np.asarray(surface_to_view, dtype=float)
        )
        self._observers = Observers()
        self._observers.add(scene, slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._on_node_removed)
        self._outlines = {model: _ModelOutline(self, model) for model in models}
        radiograph.add_listener(self._on_radiograph)
        self._on_radiograph()

    @property
    def outline_nodes(self) -> dict[Any, Any]:
        """Model node to the model node of its outline."""
        return {model: one.node for model, one in self._outlines.items()}

    def stop(self) -> None:
        """Observers and nodes are gone; may be called again. The radiograph's own end comes when a node of it goes."""
        self.radiograph.remove_listener(self._on_radiograph)
        self._observers.clear()
        for one in self._outlines.values():
            one.remove()
        self._outlines.clear()

    def _on_radiograph(self) -> None:
        if self.radiograph.removed:
            self.stop()
        for one in self._outlines.values():
            one.update()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _caller: Any, _event: str, node: Any) -> None:
        if node in self._outlines:
            self._outlines.pop(node).remove()


class _ModelOutline:
    """One model, and the node that shows its outline: one display for 3D, one for the slice views of the detector."""

    def __init__(self, overlay: SilhouetteOverlay, model: Any) -> None:
        self.overlay, self.model = overlay, model
        radiograph = overlay.radiograph
        self.node = radiograph.folder.add("vtkMRMLModelNode", f"outline of {model.GetName()}")
        self._lines = vtk.vtkPolyData()
        self.node.SetAndObservePolyData(self._lines)
        self._in_3d, self._in_slices = (self._add_display(in_3d) for in_3d in (True, False))
        self._mesh: Mesh | None = None
        self._silhouette: Silhouette | None = None
        self._read_mesh()
        self._observers = Observers()
        self._observers.add(model, slicer.vtkMRMLModelNode.MeshModifiedEvent, self._on_mesh)
        self._observers.add(model, slicer.vtkMRMLTransformableNode.TransformModifiedEvent, self._on_transform)
        self._observers.add(model, slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent, self._on_display)

    def update(self) -> None:
        """Draw the outline anew, and show it as its model is shown."""
        self._draw()
        self._on_display()

    def remove(self) -> None:
        self._observers.clear()
        self.overlay.radiograph.folder.remove(self.node)

    def _add_display(self, in_3d: bool) -> Any:
        display = slicer.vtkMRMLModelDisplayNode()
        display.SetSaveWithScene(False)
        display.SetVisibility3D(in_3d)
        display.SetVisibility2D(not in_3d)
        display.SetSliceDisplayModeToProjection()  # an intersection of lines with their own plane is empty
        display.SetSliceIntersectionThickness(LINE_WIDTH)
        display.SetLineWidth(LINE_WIDTH)
        display.SetLighting(False)
        self.node.GetScene().AddNode(display)
        self.node.AddAndObserveDisplayNodeID(display.GetID())
        return display

    def _read_mesh(self) -> None:
        """What of the surface is kept between updates; nothing where it is empty or has no numbers."""
        mesh, self._to_world = _mesh_of(self.model)
        self._warped = world_from(self.model) is None
        if mesh is None or self._mesh is None or not np.array_equal(mesh.faces, self._mesh.faces):
            self._silhouette = None if mesh is None else Silhouette(mesh)
        elif self._silhouette is not None:
            self._silhouette.set_vertices(mesh.vertices)
        self._mesh = mesh

    def _draw(self) -> None:
        camera, outline = self.overlay.radiograph.camera, self._outline()
        if outline is None:
            self._lines.Initialize()
        else:
            self._lines.SetPoints(points_of(camera.on_detector(outline.points)))
            self._lines.SetLines(cells_of(outline.lines))
        self._lines.Modified()

    def _outline(self) -> Outline | None:
        """None without a surface, with the image under a transform that is not linear, or one that flattens space."""
        radiograph = self.overlay.radiograph
        view_to_world = world_from(radiograph.volume_node)
        if self._silhouette is None or view_to_world is None:
            return None
        try:
            to_camera = np.linalg.solve(view_to_world, self._to_world)
            return self._silhouette.outline(radiograph.camera, self.overlay.surface_to_view @ to_camera)
        except np.linalg.LinAlgError:
            return None

    def _on_mesh(self, *_: Any) -> None:
        self._read_mesh()
        self._draw()

    def _on_transform(self, *_: Any) -> None:
        to_world = world_from(self.model)
        if to_world is None or self._warped:
            self._read_mesh()
        else:
            self._to_world = to_world
        self._draw()

    def _on_display(self, *_: Any) -> None:
        shown = self.model.GetDisplayNode()
        visible = shown is not None and bool(shown.GetVisibility()) and _in_visible_folder(self.model)
        slices = [node.GetID() for node in self.overlay.radiograph.slice_nodes]
        self._in_3d.SetVisibility(visible and self.overlay.radiograph.visible)
        # An empty list of views would mean all of them.
        self._in_slices.SetVisibility(visible and bool(slices))
        self._in_slices.SetViewNodeIDs(slices)
        for display in (self._in_3d, self._in_slices):
            if shown is not None:
                display.SetColor(shown.GetColor())


def _in_visible_folder(model: Any) -> bool:
    return bool(slicer.vtkMRMLFolderDisplayNode.GetHierarchyVisibility(model))


def _mesh_of(model: Any) -> tuple[Mesh | None, NDArray[np.float64]]:
    """The surface, None where there is none or a vertex has no number, and the 4x4 that takes it to RAS.

    Under a transform that is not linear its vertices are moved one by one, and the 4x4 is the identity.
    """
    polydata, to_world = model.GetPolyData(), world_from(model)
    if to_world is None:
        warp = vtk.vtkTransformPolyDataFilter()
        warp.SetInputData(polydata)
        warp.SetTransform(transform_to_world(model))
        warp.Update()
        polydata, to_world = warp.GetOutput(), np.eye(4)
    try:
        return None if polydata is None else from_polydata(polydata), to_world
    except ValueError:
        return None, to_world
