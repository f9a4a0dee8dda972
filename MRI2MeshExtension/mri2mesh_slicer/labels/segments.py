"""The segments of a segmentation, or the labels of a label map volume, and which bone each is taken for.

What the user chose is kept with the node, and so saved with the scene; until then a segment is what its name, its
terminology or, in a label map, its number says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import LATERALITY, STRUCTURES
from mri2mesh.engines.segmentation.numbering.names import structure_of
from mri2mesh.engines.segmentation.numbering.presets import ALL_VERTEBRAE, NOTHING, PAIRS
from mri2mesh.errors import InputError
from mri2mesh_slicer.inputs import volume_of
from mri2mesh_slicer.runs.terminology import terminology_tag

CHOSEN = "MRI2Mesh.TakenFor."
"""Beginning of a node's attributes: what the user took a segment for, by its ID or label value."""
CHOICES = (NOTHING, *STRUCTURES, *PAIRS, ALL_VERTEBRAE)


@dataclass(frozen=True)
class SegmentRow:
    """identity: the segment's ID, or the label's value as text. label: its value in the label map that the worker gets.
    taken_for: of `CHOICES`."""

    identity: str
    name: str
    label: int
    taken_for: str


def is_segmentation(node: Any) -> bool:
    return bool(node is not None and node.IsA("vtkMRMLSegmentationNode"))


def is_label_map(node: Any) -> bool:
    return bool(node is not None and node.IsA("vtkMRMLLabelMapVolumeNode"))


def segments_of(node: Any) -> list[SegmentRow]:
    """Of a segmentation or a label map volume, in their order there."""
    return _of_segmentation(node) if is_segmentation(node) else _of_label_map(node)


def choose(node: Any, identity: str, taken_for: str) -> None:
    """The user says what a segment is."""
    node.SetAttribute(CHOSEN + identity, taken_for)


def _of_segmentation(node: Any) -> list[SegmentRow]:
    segmentation, rows = node.GetSegmentation(), []
    for number in range(segmentation.GetNumberOfSegments()):
        identity = segmentation.GetNthSegmentID(number)
        segment = segmentation.GetSegment(identity)
        said = structure_of(segment.GetName()) or _by_terminology(segment)
        chosen = node.GetAttribute(CHOSEN + identity)
        rows.append(SegmentRow(identity, segment.GetName(), number + 1, chosen or said or NOTHING))
    return rows


def _by_terminology(segment: Any) -> str | None:
    """The structure whose code, and side, the segment's terminology has."""
    text = tag_of(segment, terminology_tag())
    for name, structure in STRUCTURES.items():
        side = LATERALITY[structure.side][0] if structure.side else None
        if f"^{structure.code}^" in text.replace("~", "^") and (side is None or side in text):
            return name
    return None


def tag_of(segment: Any, name: str) -> str:
    """A tag's text, empty where the segment has none."""
    value = vtk.reference("")
    return str(value.get()) if segment.GetTag(name, value) else ""


def _of_label_map(node: Any) -> list[SegmentRow]:
    volume = volume_of(node)
    labels = volume.array.astype(np.uint16)
    colours = node.GetDisplayNode().GetColorNode() if node.GetDisplayNode() is not None else None
    values = [int(value) for value in np.unique(labels) if value]
    names = {value: str(colours.GetColorName(value) or "") if colours is not None else "" for value in values}
    said: dict[int, str] = {value: found for value, name in names.items() if (found := structure_of(name))}
    if not said:
        said = _by_number(labels, volume.ijk_to_ras)
    return [
        SegmentRow(
            str(value),
            names[value] or str(value),
            value,
            node.GetAttribute(f"{CHOSEN}{value}") or said.get(value, NOTHING),
        )
        for value in values
    ]


def _by_number(labels: NDArray[np.uint16], ijk_to_ras: NDArray) -> dict[int, str]:
    """What the numbering says that fits; nothing where none does, or its packages are not installed yet."""
    try:
        from mri2mesh.engines.segmentation.label_map import LabelMap
        from mri2mesh.engines.segmentation.numbering.choosing import take
    except ImportError:
        return {}
    try:
        return take(LabelMap(labels, ijk_to_ras, labels=labels)).bones
    except InputError:
        return {}
