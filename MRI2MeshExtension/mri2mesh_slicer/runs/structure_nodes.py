"""Models and segments of structures: what makes them be, and look like, one structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
import vtk

from mri2mesh.anatomy.doubtful_levels import shown_colour, shown_name
from mri2mesh.anatomy.structures import Structure
from mri2mesh_slicer.mrml_nodes import add_display, add_node
from mri2mesh_slicer.runs.runs import LABEL, REPORTED_AS, STRUCTURE
from mri2mesh_slicer.runs.terminology import terminology_of, terminology_tag

LINE_WIDTH = 2
"""Width of the intersections with slices, in pixels."""


def add_model(scene: Any, structure: Structure, surface: vtk.vtkPolyData, certain: bool = True) -> Any:
    """A model of one structure, with outlines in slice views. certain: as of `make_model`."""
    node = add_node(scene, "vtkMRMLModelNode", structure.name)
    own = vtk.vtkPolyData()
    own.ShallowCopy(surface)
    node.SetAndObservePolyData(own)
    node.SetAttribute(REPORTED_AS, structure.name)
    display = add_display(node)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(LINE_WIDTH)
    storage = add_node(scene, "vtkMRMLModelStorageNode", f"{structure.name} storage")
    storage.SetDefaultWriteFileExtension("vtp")
    node.SetAndObserveStorageNodeID(storage.GetID())
    make_model(node, structure, certain)
    return node


def make_model(node: Any, structure: Structure, certain: bool = True) -> None:
    """Name, code, colour and meaning of a model. certain: whether its level is more than a guess."""
    node.SetName(shown_name(structure.name, structure.kind, certain))
    node.SetDescription(structure.meaning)
    node.SetAttribute(STRUCTURE, structure.name)
    node.SetAttribute(LABEL, str(structure.label))
    node.SetAttribute(terminology_tag(), terminology_of(structure))
    display = node.GetDisplayNode()
    if display is not None:
        display.SetColor(shown_colour(structure.kind, structure.colour, certain))


def add_segmentation(
    scene: Any, name: str, structures: Sequence[Structure], models: Sequence[Any], certain: bool = True
) -> Any:
    """The models' surfaces once more as coded segments; hidden, as the models show the same."""
    node = add_node(scene, "vtkMRMLSegmentationNode", name)
    display = add_display(node)
    node.SetSourceRepresentationToClosedSurface()
    for number, (structure, model) in enumerate(zip(structures, models, strict=True), 1):
        surface = vtk.vtkPolyData()
        surface.SetPoints(model.GetPolyData().GetPoints())
        surface.SetPolys(model.GetPolyData().GetPolys())
        segment = slicer.vtkSegment()
        make_segment(segment, structure, certain)
        representation = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
        segment.AddRepresentation(representation, surface)
        # not the structure's name, which a level shift changes, while an ID stays
        node.GetSegmentation().AddSegment(segment, f"structure_{number}")
    display.SetVisibility(False)
    return node


def make_segment(segment: Any, structure: Structure, certain: bool = True) -> None:
    """Name, code, colour and label value of a segment. certain: whether its level is more than a guess."""
    segment.SetName(shown_name(structure.name, structure.kind, certain))
    segment.SetColor(shown_colour(structure.kind, structure.colour, certain))
    segment.SetTag(STRUCTURE, structure.name)
    # a tag, because MRML renumbers vtkSegment's own label values and does not save them with surfaces
    segment.SetTag(LABEL, str(structure.label))
    segment.SetTag(terminology_tag(), terminology_of(structure))
