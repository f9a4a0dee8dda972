"""A click of the user in a view, as Slicer's markups widget passes it on."""

from __future__ import annotations

from typing import Any


def click_at(slicer: Any, markups: Any, right: float, anterior: float, superior: float = 0.0) -> None:
    """What Slicer's markups widget does with a click in place mode, a preview first; then it leaves the mode.

    right, anterior, superior: world RAS mm."""
    import vtk

    display, event = markups.GetDisplayNode(), slicer.vtkMRMLInteractionEventData()
    event.SetWorldPosition([right, anterior, superior])
    number = markups.GetControlPointPlacementStartIndex()
    for status in (markups.PositionPreview, markups.PositionDefined):
        turn = vtk.vtkMatrix3x3()
        directions = [turn.GetElement(i, j) for i in range(3) for j in range(3)]
        number = display.UpdateActiveControlPointWorld(number, event, directions, "", "", status)
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
