"""The nodes drawn for one radiograph, in a folder under the image's own item of the subject hierarchy."""

from __future__ import annotations

from typing import Any

import vtk

from mri2mesh_slicer.mrml_nodes import remove_node, temporary_node

FOLDER = "MRI2Mesh.RadiographFolder"
"""Attribute of such a folder."""
COLOUR = (0.55, 0.75, 0.95)


class RadiographFolder:
    """Nodes that follow the image's parent transform, are not saved with the scene, and go together.

    listed: in the folder. Otherwise there is none, which a scene saved meanwhile would keep, and the nodes are hidden
    from editors.
    """

    def __init__(self, scene: Any, volume_node: Any, *, listed: bool = True) -> None:
        self.scene, self.volume_node = scene, volume_node
        self.nodes: list[Any] = []
        self.item = self._add_folder() if listed else 0

    def _add_folder(self) -> int:
        scene, volume_node = self.scene, self.volume_node
        hierarchy = scene.GetSubjectHierarchyNode()
        item = hierarchy.GetItemByDataNode(volume_node)
        if not item:
            item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), volume_node)
        children = vtk.vtkIdList()
        hierarchy.GetItemChildren(item, children)
        for index in range(children.GetNumberOfIds()):
            if hierarchy.GetItemAttribute(children.GetId(index), FOLDER):
                hierarchy.RemoveItem(children.GetId(index))  # saved with a scene, without its nodes
        folder = int(hierarchy.CreateFolderItem(item, "X-ray geometry"))
        hierarchy.SetItemAttribute(folder, FOLDER, "1")
        return folder

    def add(self, class_name: str, name: str) -> Any:
        """A new node, with nothing in it."""
        node = temporary_node(self.scene, class_name, f"{self.volume_node.GetName()}: {name}")
        node.SetHideFromEditors(not self.item)  # before it is added: then the hierarchy does not list it
        self.scene.AddNode(node)
        if self.item:
            self.scene.GetSubjectHierarchyNode().CreateItem(self.item, node)
        self.nodes.append(node)
        self._transform(node)
        return node

    def add_model(self, name: str) -> Any:
        """A new model node, in one colour, not shown in slice views."""
        node = self.add("vtkMRMLModelNode", name)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetSaveWithScene(False)
        display.SetColor(*COLOUR)
        display.SetVisibility2D(False)
        return node

    def remove(self, node: Any) -> None:
        """Nothing for a node that is not in it."""
        if node in self.nodes:
            self.nodes.remove(node)
            if self.scene.IsNodePresent(node):
                remove_node(self.scene, node)

    def forget(self, node: Any) -> bool:
        """Whether a node that leaves the scene by itself is one of these; its displays leave with it."""
        if node not in self.nodes:
            return False
        self.nodes.remove(node)
        if node.IsA("vtkMRMLDisplayableNode"):
            for display in [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]:
                self.scene.RemoveNode(display)
        return True

    def follow_transform(self) -> None:
        for node in self.nodes:
            self._transform(node)

    def clear(self) -> None:
        """All nodes and the folder are gone."""
        for node in list(self.nodes):
            self.remove(node)
        if self.item:
            self.scene.GetSubjectHierarchyNode().RemoveItem(self.item)

    def _transform(self, node: Any) -> None:
        """A camera is put where it belongs in the world: its view would not follow a transform."""
        if not node.IsA("vtkMRMLCameraNode"):
            node.SetAndObserveTransformNodeID(self.volume_node.GetTransformNodeID())
