"""Stands in for what Slicer's Qt code does to the subject hierarchy (qSlicerSubjectHierarchyPluginLogic).

An item per node that is added, removed with its node, children moving one level up. Not covered: the choice of the
owner plugin among several, plugins that refuse nodes, virtual branches (segments as items), DICOM patients and studies
made by loading, context menus, and the visibility that the folder's eye passes on.
"""

from __future__ import annotations

from typing import Any

import slicer_core
import vtk

OWNERS = {
    "vtkMRMLScalarVolumeNode": "Volumes",
    "vtkMRMLModelNode": "Models",
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLMarkupsNode": "Markups",
    "vtkMRMLTransformNode": "Transforms",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
    "vtkMRMLFolderDisplayNode": "Folder",
}
"""Class to the plugin that takes its nodes; subclasses too."""


class SubjectHierarchyPlugins:
    """Observes a scene for as long as the scene lives."""

    def __init__(self, scene: Any) -> None:
        scene.AddObserver(slicer_core.vtkMRMLScene.NodeAddedEvent, _added)
        scene.AddObserver(slicer_core.vtkMRMLScene.NodeAboutToBeRemovedEvent, _about_to_be_removed)


@vtk.calldata_type(vtk.VTK_OBJECT)
def _added(scene: Any, _event: str, node: Any) -> None:
    owner = next((plugin for name, plugin in OWNERS.items() if node.IsA(name)), None)
    if owner is None or scene.IsImporting() or node.GetHideFromEditors():
        return
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.SetItemOwnerPluginName(hierarchy.CreateItem(hierarchy.GetSceneItemID(), node), owner)


@vtk.calldata_type(vtk.VTK_OBJECT)
def _about_to_be_removed(scene: Any, _event: str, node: Any) -> None:
    closing = scene is None or scene.IsClosing()  # None: the scene itself is being deleted
    if closing or node.IsA("vtkMRMLSubjectHierarchyNode"):
        return
    hierarchy = scene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.RemoveItem(item, False, False)
