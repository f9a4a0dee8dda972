"""Stands in for the colour tables that Slicer reads from its own files: those this extension uses, by their IDs."""

from __future__ import annotations

from typing import Any

import matplotlib
import slicer_core

NAMES = ("Viridis", "Plasma")


def add_colours(scene: Any) -> None:
    """Tables of 256 colours."""
    for name in NAMES:
        node = slicer_core.vtkMRMLColorTableNode()
        node.SetName(name)
        node.SetSingletonTag(f"File{name}.txt")
        node.SetTypeToFile()
        node.SetHideFromEditors(True)
        node.SaveWithSceneOff()
        node.SetNumberOfColors(256)
        for number, colour in enumerate(matplotlib.colormaps[name.lower()].colors):
            node.SetColor(number, f"{name} {number}", *colour, 1.0)
        scene.AddNode(node)
