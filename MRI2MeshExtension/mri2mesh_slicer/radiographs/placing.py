"""Named landmarks placed by a click: the next point of a markups node is the one that was chosen by its name."""

from __future__ import annotations

from typing import Any

import slicer

from mri2mesh_slicer.mrml_nodes import nodes_of


def placed_names(markups: Any) -> set[str]:
    """Names of the points that have a position; none without a node."""
    if markups is None or markups.GetScene() is None:
        return set()
    return {
        str(markups.GetNthControlPointLabel(n)).strip()
        for n in range(markups.GetNumberOfControlPoints())
        if markups.GetNthControlPointPositionStatus(n) == markups.PositionDefined
    }


def place_next(markups: Any, name: str) -> None:
    """The user's next click in a view places the point of this name, anew where it is there already.

    Points that were named and never placed go: the click must not fill one of them.
    """
    for n in reversed(range(markups.GetNumberOfControlPoints())):
        is_placed = markups.GetNthControlPointPositionStatus(n) == markups.PositionDefined
        if not is_placed or str(markups.GetNthControlPointLabel(n)).strip() == name:
            markups.RemoveNthControlPoint(n)
    with slicer.util.NodeModify(markups):  # or observers hear of a placed point that nobody has placed
        number = markups.AddControlPoint(0.0, 0.0, 0.0, name)
        markups.UnsetNthControlPointPosition(number)
    markups.SetControlPointPlacementStartIndex(number)
    logic = slicer.app.applicationLogic()
    selection, interaction = logic.GetSelectionNode(), logic.GetInteractionNode()
    selection.SetReferenceActivePlaceNodeClassName(markups.GetClassName())
    selection.SetActivePlaceNodeID(markups.GetID())
    interaction.SetPlaceModePersistence(0)
    interaction.SetCurrentInteractionMode(interaction.Place)


def show_in_a_slice_view(image: Any) -> None:
    """An image that no slice view shows becomes the background of them all, fitted: points are picked in it."""
    composites = nodes_of(image.GetScene(), "vtkMRMLSliceCompositeNode")
    if any(node.GetBackgroundVolumeID() == image.GetID() for node in composites):
        return
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActiveVolumeID(image.GetID())
    logic.PropagateVolumeSelection(1)
