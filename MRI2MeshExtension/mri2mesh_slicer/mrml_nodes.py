"""Adding and removing nodes so that a change of the scene is whole, undoable, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import slicer
import vtk

from mri2mesh.errors import InputError


@contextmanager
def one_step(scene: Any) -> Iterator[None]:
    """A change that shows at once, is undone by one Undo, and is taken back when the block raises.

    Undo concerns nodes that allow it, as those of `add_node` do, and only where the scene's undo is on.
    """
    before = {node.GetID() for node in nodes_of(scene)}
    scene.SaveStateForUndo()
    scene.StartState(scene.BatchProcessState)
    try:
        yield
    except BaseException:
        for node in nodes_of(scene):
            if node.GetID() not in before:
                remove_node(scene, node)
        raise
    finally:
        scene.EndState(scene.BatchProcessState)


def nodes_of(scene: Any, class_name: str = "vtkMRMLNode") -> list[Any]:
    """Every node of a class, as a list that stays what it is while the scene changes."""
    return [scene.GetNthNodeByClass(n, class_name) for n in range(scene.GetNumberOfNodesByClass(class_name))]


def add_node(scene: Any, class_name: str, name: str) -> Any:
    """A new node in the scene, with the user's defaults for its class, that Undo takes back."""
    node = scene.AddNewNodeByClass(class_name, name)
    node.SetUndoEnabled(True)
    return node


def temporary_node(scene: Any, class_name: str, name: str) -> Any:
    """A node outside the scene yet, with the user's defaults, that is neither saved with it nor part of undo."""
    node = scene.CreateNodeByClass(class_name)
    node.UnRegister(None)  # the caller's own reference, which Python has besides
    node.SetName(name)
    node.SetSaveWithScene(False)
    node.SetUndoEnabled(False)
    return node


def add_display(node: Any) -> Any:
    """The default display node of a displayable node; Undo takes it back too."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetUndoEnabled(True)
    return display


def remove_node(scene: Any, node: Any) -> None:
    """The node with its own display and storage nodes, and its item in the subject hierarchy."""
    own = []
    if node.IsA("vtkMRMLDisplayableNode"):
        own += [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        own += [node.GetNthStorageNode(n) for n in range(node.GetNumberOfStorageNodes())]
    hierarchy = scene.GetSubjectHierarchyNode()
    scene.RemoveNode(node)
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    if item:  # in Slicer the item has gone with its node
        hierarchy.RemoveItem(item, False, False)
    for one in filter(None, own):
        if scene.IsNodePresent(one):
            scene.RemoveNode(one)


def require_present(scene: Any, nodes: Sequence[Any]) -> None:
    """Raises InputError where a node has left the scene."""
    for node in nodes:
        if node is None or node.GetScene() is None or not scene.IsNodePresent(node):
            raise InputError(
                "an input of this run is no longer in the scene: load it again, or choose another"
            )


def transform_to_world(node: Any) -> vtk.vtkGeneralTransform:
    """From the node's own coordinates to world RAS, through its parent transforms, linear or not."""
    return transform_between(node, None)


def transform_between(node: Any, other: Any) -> vtk.vtkGeneralTransform:
    """From the node's own coordinates to those of another, or to world RAS for None."""
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        node.GetParentTransformNode(), None if other is None else other.GetParentTransformNode(), transform
    )
    return transform
